// Draws the two plots, and copies the command. Everything else on the page stands without a script.
'use strict';
(() => {
  const data = JSON.parse(document.getElementById('plots-data').textContent);
  const places = { latency: document.getElementById('plot-latency'), rate: document.getElementById('plot-rate') };
  const root = document.documentElement;
  const plots = new Map();

  const colour = (name) => getComputedStyle(root).getPropertyValue('--' + name).trim();
  const seconds = (time) => time.toFixed(3) + ' s';
  const figure = (value, unit) => (value == null ? 'none' : value.toLocaleString('en', { maximumFractionDigits: 2 }) + ' ' + unit);

  const plans = {
    latency: {
      unit: 'ms', logarithmic: true, height: 270, nothing: 'No operation was acknowledged, so there is no latency to plot.',
      lines: [
        { key: 'p50', label: 'median', width: 2 }, { key: 'p95', label: 'p95', width: 1.5 },
        { key: 'p99', label: 'p99', width: 1.5 }, { key: 'max', label: 'slowest', width: 1, dash: [3, 3] },
      ],
    },
    rate: {
      unit: '/s', logarithmic: false, height: 200, nothing: 'No operation completed, so there is no rate to plot.',
      lines: [
        { key: 'ok', label: 'ok', width: 1.75 }, { key: 'fail', label: 'fail', width: 1.5, dash: [6, 3] },
        { key: 'info', label: 'info (unknown)', width: 1.75, dash: [2, 2] },
      ],
    },
  };

  function shadeFaults(u) {
    const { ctx } = u;
    const { left, top, width, height } = u.bbox;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    for (const fault of data.faults) {
      const from = u.valToPos(fault.from, 'x', true);
      const to = Math.max(u.valToPos(fault.to, 'x', true), from + 1);
      ctx.fillStyle = colour('fault-' + fault.colour);
      ctx.globalAlpha = 0.15;
      ctx.fillRect(from, top, to - from, height);
      ctx.globalAlpha = 0.9;
      ctx.fillRect(from, top, to - from, 3 * devicePixelRatio);
    }
    ctx.restore();
  }

  function hoverBox(place, plot) {
    const box = document.createElement('div');
    box.className = 'hover';
    box.hidden = true;
    place.appendChild(box);
    const add = (parent, tag, text, className) => {
      const element = document.createElement(tag);
      if (className) element.className = className;
      element.textContent = text;
      parent.appendChild(element);
      return element;
    };
    return (u) => {
      const { idx, left } = u.cursor;
      box.hidden = idx == null || left < 0 || !place.matches(':hover, :focus');
      if (box.hidden) return;
      box.textContent = '';
      const time = data.time[idx];
      add(box, 'b', seconds(time));
      plot.lines.forEach((line, position) => {
        if (!u.series[position + 1].show) return;
        const row = add(box, 'div', '', 'row');
        add(row, 'i', line.label);
        add(row, 'span', figure(data[line.key][idx], plot.unit));
      });
      const active = data.faults.filter((fault) => fault.from <= time && time <= fault.to);
      for (const fault of active.slice(0, 4)) add(box, 'span', fault.label, 'fault');
      if (active.length > 4) add(box, 'span', 'and ' + (active.length - 4) + ' more faults', 'fault');
      const start = u.over.offsetLeft;
      const right = start + left + 14;
      box.style.left = Math.max(0, right + box.offsetWidth > place.clientWidth ? start + left - box.offsetWidth - 14 : right) + 'px';
      box.style.top = '12px';
    };
  }

  function ticks(u, splits) {
    return splits.map((value) => (value == null ? '' : value >= 1000 ? value.toLocaleString('en') : String(+value.toPrecision(3))));
  }

  // Only powers of ten are written on a logarithmic axis; its other lines are drawn.
  function powers(u, splits) {
    return ticks(u, splits.map((value) => (Math.abs(Math.log10(value) % 1) < 1e-9 ? value : null)));
  }

  // All of the run when nothing is zoomed, so that the plots stand below the strips with the same axis.
  function wholeRun(u, low, high) {
    const first = data.time[0], last = data.time[data.time.length - 1];
    return low <= first && high >= last ? [0, data.end] : [low, high];
  }

  function axisWidth() {
    const name = document.querySelector('.strip .name');
    return Math.max(48, name ? Math.round(name.getBoundingClientRect().width) : 0);
  }

  function draw(place, plot) {
    const axis = { stroke: colour('muted'), grid: { stroke: colour('line'), width: 0.6 }, ticks: { stroke: colour('line'), width: 0.6 }, font: '11px system-ui, sans-serif' };
    const hover = hoverBox(place, plot);
    const options = {
      width: place.clientWidth, height: plot.height,
      cursor: { sync: { key: 'time' }, y: false, points: { size: 7 } },
      legend: { live: false },
      padding: [10, 14, 0, 0],
      scales: { x: { time: false, range: wholeRun }, y: plot.logarithmic ? { distr: 3, log: 10 } : { range: (u, low, high) => [0, Math.max(1, high * 1.08)] } },
      axes: [
        { ...axis, values: (u, splits) => splits.map((value) => +value.toFixed(3) + ' s') },
        { ...axis, size: axisWidth(), values: plot.logarithmic ? powers : ticks },
      ],
      series: [{}].concat(plot.lines.map((line) => ({
        label: line.label, stroke: colour(line.key), width: line.width, dash: line.dash, points: { show: data.time.length < 3, size: 5 },
      }))),
      hooks: { drawClear: [shadeFaults], setCursor: [hover] },
    };
    const u = new uPlot(options, [data.time].concat(plot.lines.map((line) => data[line.key])), place);
    for (const name of u.root.querySelectorAll('.u-legend .u-series th')) {
      name.tabIndex = 0;
      name.addEventListener('keydown', (event) => { if (event.key === 'Enter') name.click(); });
    }
    return u;
  }

  function drawAll() {
    for (const name of drawn) {
      plots.get(name)?.destroy();
      places[name].textContent = '';
      plots.set(name, draw(places[name], plans[name]));
    }
  }

  function moveCursor(event, u) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || event.target !== event.currentTarget) return;
    event.preventDefault();
    const from = u.cursor.idx == null || u.cursor.left < 0 ? (step > 0 ? -1 : data.time.length) : u.cursor.idx;
    const to = Math.min(Math.max(from + step * (event.shiftKey ? 10 : 1), 0), data.time.length - 1);
    u.setCursor({ left: u.valToPos(data.time[to], 'x'), top: 0 });
  }

  function copyCommand() {
    const box = document.querySelector('.command');
    const button = box.querySelector('button');
    button.hidden = !navigator.clipboard;
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(box.querySelector('code').textContent);
      button.textContent = 'Copied';
    });
  }

  copyCommand();
  for (const element of document.querySelectorAll('.script-only')) element.hidden = false;
  const drawn = Object.keys(plans).filter((name) => {
    const some = plans[name].lines.some((line) => data[line.key].some((value) => value));
    if (!some) {
      places[name].textContent = plans[name].nothing;
      places[name].classList.add('empty');
      places[name].removeAttribute('tabindex');
    }
    return some;
  });
  if (!drawn.length) return;
  drawAll();
  for (const name of drawn) places[name].addEventListener('keydown', (event) => moveCursor(event, plots.get(name)));
  new ResizeObserver(() => plots.forEach((u, name) => {
    const width = places[name].clientWidth;
    if (width && width !== u.width) u.setSize({ width, height: u.height });
  })).observe(places[drawn[0]]);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
  const printing = (on) => () => { root.classList.toggle('printing', on); drawAll(); };
  addEventListener('beforeprint', printing(true));
  addEventListener('afterprint', printing(false));
})();
