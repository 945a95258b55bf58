-- Load for etcd's JSON gateway: wrk -s etcd.lua URL -- put|read
-- The same keys and values as kv.lua, in base64 as the gateway wants them.

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

local mode = "put"
local count = 0
local keys = 1000

function init(args)
    mode = args[1] or "put"
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json"
end

function request()
    count = count + 1
    local key = base64("k" .. (count * 7919) % keys)
    if mode == "read" then
        return wrk.format(nil, "/v3/kv/range", nil, '{"key":"' .. key .. '"}')
    end
    return wrk.format(nil, "/v3/kv/put", nil, '{"key":"' .. key .. '","value":"' .. base64(tostring(count)) .. '"}')
end
