-- Load for lock services: each client acquires a lock and releases it, over and over, and waits for each answer. A client
-- is a thread of wrk, so there must be as many threads as connections.
--
--   wrk -t8 -c8 -d10s -s benches/wrk/locks.lua http://127.0.0.1:8001 -- own|etcd each|one
--
-- own: our lock service. etcd: the lock of etcd's JSON gateway. each: a lock a client. one: one lock for all.
-- The node must be the leader: anything but status 200 is counted and printed.

local ffi = require("ffi")
local base64 = dofile("benches/wrk/base64.lua")

ffi.cdef([[
  typedef struct { long seconds; long nanoseconds; } moment;
  int clock_gettime(int clock, moment *now);
]])
local CLOCK_MONOTONIC = 1
local LEASE_SECONDS = 600

local threads = {}
local moment = ffi.new("moment")

local function now_ms()
  ffi.C.clock_gettime(CLOCK_MONOTONIC, moment)
  return tonumber(moment.seconds) * 1e3 + tonumber(moment.nanoseconds) / 1e6
end

-- What each service is asked: open gives a session, acquire what is needed to release.
local services = {
  own = {
    open = function() return "/v1/sessions", '{"ttl_ms":' .. LEASE_SECONDS * 1000 .. "}" end,
    opened = function(body) return body:match('"session":(%d+)') end,
    acquire = function()
      sequence = sequence + 1
      return "/v1/locks/" .. lock .. "/acquire?session=" .. session .. "&sequence=" .. sequence, '{"wait_ms":60000}'
    end,
    acquired = function(body) return body:match('"token":(%d+)') end,
    release = function()
      sequence = sequence + 1
      return "/v1/locks/" .. lock .. "/release?session=" .. session .. "&sequence=" .. sequence, ""
    end,
  },
  etcd = {
    open = function() return "/v3/lease/grant", '{"TTL":' .. LEASE_SECONDS .. "}" end,
    opened = function(body) return body:match('"ID":"(%d+)"') end,
    acquire = function() return "/v3/lock/lock", '{"name":"' .. base64(lock) .. '","lease":' .. session .. "}" end,
    acquired = function(body) return body:match('"key":"([^"]+)"') end,
    release = function() return "/v3/lock/unlock", '{"key":"' .. hold .. '"}' end,
  },
}

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

function init(args)
  service = services[args[1]] or error("the service is own or etcd")
  if args[2] ~= "each" and args[2] ~= "one" then error("the locks are each or one") end
  lock = args[2] == "each" and "lock" .. number or "lock"
  phase = "open"
  sequence = 0
  refused = 0
  first_refusal = ""
  acquires_ms, releases_ms, pairs_ms = {}, {}, {}
end

function request()
  local path, body = service[phase]()
  asked_ms = now_ms()
  return wrk.format("POST", path, nil, body)
end

function response(status, headers, body)
  local took_ms = now_ms() - asked_ms
  if status ~= 200 then
    refused = refused + 1
    if refused == 1 then first_refusal = phase .. ": " .. status .. " " .. body end
  elseif phase == "open" then
    session = assert(service.opened(body), body)
    phase = "acquire"
  elseif phase == "acquire" then
    hold = assert(service.acquired(body), body)
    acquires_ms[#acquires_ms + 1] = took_ms
    phase = "release"
  else
    releases_ms[#releases_ms + 1] = took_ms
    pairs_ms[#pairs_ms + 1] = acquires_ms[#releases_ms] + took_ms
    phase = "acquire"
  end
end

-- p50 and p99 of what all threads measured.
local function percentiles(name)
  local all = {}
  for _, thread in ipairs(threads) do
    for _, took_ms in ipairs(thread:get(name)) do all[#all + 1] = took_ms end
  end
  table.sort(all)
  local function at(share) return all[math.max(1, math.ceil(#all * share))] or 0 end
  return #all, at(0.5), at(0.99)
end

function done(summary, latency, requests)
  local refusals, example = 0, ""
  for _, thread in ipairs(threads) do
    refusals = refusals + thread:get("refused")
    if thread:get("first_refusal") ~= "" then example = thread:get("first_refusal") end
  end
  local errors = summary.errors
  local _, acquire_p50, acquire_p99 = percentiles("acquires_ms")
  local _, release_p50, release_p99 = percentiles("releases_ms")
  local count, pair_p50, pair_p99 = percentiles("pairs_ms")
  print(string.format(
    '{"pairs":%d,"refused":%d,"socket_errors":%d,"per_second":%.0f,"acquire_p50_ms":%.3f,"acquire_p99_ms":%.3f,'
      .. '"release_p50_ms":%.3f,"release_p99_ms":%.3f,"pair_p50_ms":%.3f,"pair_p99_ms":%.3f}',
    count, refusals, errors.connect + errors.read + errors.write + errors.timeout, count / (summary.duration / 1e6),
    acquire_p50, acquire_p99, release_p50, release_p99, pair_p50, pair_p99))
  if refusals > 0 then print("the first refusal: " .. example) end
end
