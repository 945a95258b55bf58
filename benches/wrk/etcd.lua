-- The load of kv.lua for etcd's JSON gateway, run from the project's folder:
--
--   wrk -t1 -c20 -d10s -s benches/wrk/etcd.lua http://127.0.0.1:2379 -- put|get
--
-- The same keys and values, in base64 as the gateway wants them; the figures are printed by kv.lua.

dofile("benches/wrk/kv.lua")

local base64 = dofile("benches/wrk/base64.lua")
local KEYS = 10000

function request()
  count = count + 1
  local key = base64("key" .. math.random(KEYS))
  if mode == "get" then return wrk.format("POST", "/v3/kv/range", nil, '{"key":"' .. key .. '"}') end
  local value = base64(number .. "-" .. count .. "-abcdefghijklmnopqrstuvwxyz")
  return wrk.format("POST", "/v3/kv/put", nil, '{"key":"' .. key .. '","value":"' .. value .. '"}')
end
