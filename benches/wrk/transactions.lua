-- Load for transactions over three shards: each reads and writes a register on two or on three of them, one as often as the
-- other, under keys drawn from 10,000.
--
--   wrk -t1 -c20 -d10s -s benches/wrk/transactions.lua http://127.0.0.1:8001
--
-- The node must coordinate. Status 409 is an abort, which has changed nothing; anything else but 200 is counted and printed.

local ffi = require("ffi")
local bit = require("bit")

local KEYS = 10000
local SHARDS = 3

local threads = {}

-- Which shard keeps a key, as `Config::shard_of` in systems/src/commit/config.rs decides: FNV-1a of its name.
local function shard_of(key)
  local hash = 0xcbf29ce484222325ULL
  for i = 1, #key do
    hash = bit.bxor(hash, ffi.cast("uint64_t", key:byte(i))) * 0x100000001b3ULL
  end
  return tonumber(bit.rshift(hash, 32) % SHARDS)
end

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

function init()
  aborted, refused, first_refusal, count = 0, 0, "", 0
  math.randomseed(number + 1)
  keys = {}
  for shard = 0, SHARDS - 1 do keys[shard] = {} end
  for n = 1, KEYS do
    local key = "key" .. n
    table.insert(keys[shard_of(key)], key)
  end
end

function request()
  count = count + 1
  local first, shards, steps = math.random(SHARDS), math.random(2, SHARDS), {}
  for shard = first, first + shards - 1 do
    local of_shard = keys[shard % SHARDS]
    local key = of_shard[math.random(#of_shard)]
    steps[#steps + 1] = '["r","' .. key .. '",null],["w","' .. key .. '",' .. count .. "]"
  end
  return wrk.format("POST", "/v1/transactions", nil, '{"ops":[' .. table.concat(steps, ",") .. "]}")
end

function response(status, headers, body)
  if status == 409 then
    aborted = aborted + 1
  elseif status ~= 200 then
    refused = refused + 1
    if refused == 1 then first_refusal = status .. " " .. body end
  end
end

function done(summary, latency, requests)
  local aborts, refusals, example = 0, 0, ""
  for _, thread in ipairs(threads) do
    aborts = aborts + thread:get("aborted")
    refusals = refusals + thread:get("refused")
    if thread:get("first_refusal") ~= "" then example = thread:get("first_refusal") end
  end
  local errors = summary.errors
  print(string.format(
    '{"transactions":%d,"aborted":%d,"refused":%d,"socket_errors":%d,"per_second":%.0f,"p50_ms":%.2f,"p99_ms":%.2f,"max_ms":%.1f}',
    summary.requests, aborts, refusals, errors.connect + errors.read + errors.write + errors.timeout,
    (summary.requests - aborts - refusals) / (summary.duration / 1e6),
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000))
  if refusals > 0 then print("the first refusal: " .. example) end
end
