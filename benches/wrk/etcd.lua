-- The load of kv.lua for etcd's JSON gateway, run from the project's folder:
--
--   wrk -t1 -c20 -d10s -s benches/wrk/etcd.lua http://127.0.0.1:2379 -- put|get
--
-- The same keys and values, in base64 as the gateway wants them; the figures are printed by kv.lua.

dofile("benches/wrk/kv.lua")

local KEYS = 10000

local letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function base64(text)
  local out = {}
  for i = 1, #text, 3 do
    local a, b, c = text:byte(i, i + 2)
    local n = a * 65536 + (b or 0) * 256 + (c or 0)
    local function digit(shift)
      local index = math.floor(n / shift) % 64
      return letters:sub(index + 1, index + 1)
    end
    out[#out + 1] = digit(262144) .. digit(4096) .. (b and digit(64) or "=") .. (c and digit(1) or "=")
  end
  return table.concat(out)
end

function request()
  count = count + 1
  local key = base64("key" .. math.random(KEYS))
  if mode == "get" then return wrk.format("POST", "/v3/kv/range", nil, '{"key":"' .. key .. '"}') end
  local value = base64(number .. "-" .. count .. "-abcdefghijklmnopqrstuvwxyz")
  return wrk.format("POST", "/v3/kv/put", nil, '{"key":"' .. key .. '","value":"' .. value .. '"}')
end
