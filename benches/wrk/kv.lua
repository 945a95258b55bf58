-- Load for the key-value store: puts, or linearizable reads.
--
--   wrk -t1 -c20 -d10s -s benches/wrk/kv.lua http://127.0.0.1:8001 -- put
--   wrk -t1 -c20 -d10s -s benches/wrk/kv.lua http://127.0.0.1:8001 -- get
--
-- The node must be the leader: anything but status 200 is counted and printed.

local KEYS = 10000

local threads = {}

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

function init(args)
  mode = args[1] or "put"
  if mode ~= "put" and mode ~= "get" then error("the mode is put or get, not " .. mode) end
  refused = 0
  first_refusal = ""
  count = 0
  math.randomseed(number + 1)
end

function request()
  count = count + 1
  local path = "/v1/kv/key" .. math.random(KEYS)
  if mode == "get" then return wrk.format("GET", path) end
  return wrk.format("PUT", path, nil, '{"value":"' .. number .. "-" .. count .. '-abcdefghijklmnopqrstuvwxyz"}')
end

function response(status, headers, body)
  if status ~= 200 then
    refused = refused + 1
    if refused == 1 then first_refusal = status .. " " .. body end
  end
end

function done(summary, latency, requests)
  local refusals, example = 0, ""
  for _, thread in ipairs(threads) do
    refusals = refusals + thread:get("refused")
    if thread:get("first_refusal") ~= "" then example = thread:get("first_refusal") end
  end
  local errors = summary.errors
  print(string.format(
    '{"mode":"%s","requests":%d,"refused":%d,"socket_errors":%d,"per_second":%.0f,"p50_ms":%.2f,"p99_ms":%.2f,"max_ms":%.1f}',
    threads[1]:get("mode"), summary.requests, refusals, errors.connect + errors.read + errors.write + errors.timeout,
    (summary.requests - refusals) / (summary.duration / 1e6),
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000))
  if refusals > 0 then print("the first refusal: " .. example) end
end
