#!lua
-- Tells the gate what products were supplied in all, and what buyers have returned in all. The gate
-- adds what it has not applied yet, so a repeat, a late arrival or a crash in between changes nothing
-- twice.
--
-- KEYS[1]  the shard's header     ARGV[1]  root     ARGV[2]  epoch the caller believes in
-- ARGV[3]  how many products
-- then, for each product, six: id, supplied, price, limit, starts, ends; the last three may be empty,
-- the times are in microseconds
-- then, for each buyer, three: product, user, units returned in all
--
-- Returns {1} closed · {2, epoch} · {0}

local fields_per_product = 6
local root, epoch = ARGV[1], ARGV[2]

local header = redis.call('HMGET', KEYS[1], 'state', 'epoch', 'server', 'seq')
local info = redis.call('INFO', 'server', 'replication')
local server = string.match(info, 'run_id:(%x+)') .. string.match(info, 'master_replid:(%x+)')
if header[1] ~= 'open' or header[3] ~= server then return {1} end
if not (tonumber(header[2]) and tonumber(header[4])) then return {1} end
if header[2] ~= epoch then return {2, header[2]} end

local buyers = 4 + fields_per_product * tonumber(ARGV[3])
for at = 4, buyers - 1, fields_per_product do
    local key = root .. epoch .. ':p:' .. ARGV[at]
    local supplied = ARGV[at + 1]
    local applied = redis.call('HGET', key, 'supplied')
    if not applied then
        -- A product that has granted and is gone was evicted: nothing here can be trusted.
        if redis.call('EXISTS', root .. epoch .. ':k:' .. ARGV[at]) == 1 then return {1} end
        redis.call('HSET', key, 'free', supplied, 'supplied', supplied, 'price', ARGV[at + 2])
        for i, name in ipairs({'limit', 'starts', 'ends'}) do
            if ARGV[at + 2 + i] ~= '' then redis.call('HSET', key, name, ARGV[at + 2 + i]) end
        end
    elseif tonumber(supplied) > tonumber(applied) then
        local more = string.format('%.0f', tonumber(supplied) - tonumber(applied))
        redis.call('HINCRBY', key, 'free', more)
        redis.call('HSET', key, 'supplied', supplied)
    end
end
for at = buyers, #ARGV, 3 do
    local user = ARGV[at + 1]
    local applied = redis.call('HGET', root .. epoch .. ':v:' .. ARGV[at], user) or '0'
    local more = tonumber(ARGV[at + 2]) - tonumber(applied)
    if more > 0 then
        redis.call('HINCRBY', root .. epoch .. ':b:' .. ARGV[at], user, string.format('-%.0f', more))
        redis.call('HSET', root .. epoch .. ':v:' .. ARGV[at], user, ARGV[at + 2])
    end
end
return {0}
