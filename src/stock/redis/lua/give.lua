#!lua
-- Tells the gate what products were given in all. The gate adds what it has not applied yet, so a
-- repeat, a late arrival or a crash in between changes nothing twice.
--
-- KEYS[1]  the shard's header     ARGV[1]  root     ARGV[2]  generation the caller believes in
-- then, for each product, six: id, given, price, limit, starts, ends; the last three may be empty,
-- the times are in microseconds
--
-- Returns {1} closed · {2, generation} · {0}

local fields_per_product = 6
local root, generation = ARGV[1], ARGV[2]

local header = redis.call('HMGET', KEYS[1], 'state', 'generation', 'incarnation', 'seq')
local info = redis.call('INFO', 'server', 'replication')
local incarnation = string.match(info, 'run_id:(%x+)') .. string.match(info, 'master_replid:(%x+)')
if header[1] ~= 'open' or header[3] ~= incarnation then return {1} end
if not (tonumber(header[2]) and tonumber(header[4])) then return {1} end
if header[2] ~= generation then return {2, header[2]} end

for at = 3, #ARGV, fields_per_product do
    local key = root .. generation .. ':p:' .. ARGV[at]
    local given = ARGV[at + 1]
    local applied = redis.call('HGET', key, 'given')
    if not applied then
        -- A product that has granted and is gone was evicted: nothing here can be trusted.
        if redis.call('EXISTS', root .. generation .. ':k:' .. ARGV[at]) == 1 then return {1} end
        redis.call('HSET', key, 'free', given, 'given', given, 'price', ARGV[at + 2])
        for i, name in ipairs({'limit', 'starts', 'ends'}) do
            if ARGV[at + 2 + i] ~= '' then redis.call('HSET', key, name, ARGV[at + 2 + i]) end
        end
    elseif tonumber(given) > tonumber(applied) then
        local more = string.format('%.0f', tonumber(given) - tonumber(applied))
        redis.call('HINCRBY', key, 'free', more)
        redis.call('HSET', key, 'given', given)
    end
end
return {0}
