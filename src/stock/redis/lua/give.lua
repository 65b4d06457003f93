#!lua
-- Tells the gate what products were supplied in all and what they are sold by, and what buyers have
-- returned in all. The gate adds what it has not applied yet, and takes no terms that are older than
-- what it has, so a repeat, a late arrival or a crash in between changes nothing twice.
--
-- KEYS[1]  the shard's header     ARGV[1]  root     ARGV[2]  epoch the caller believes in
-- ARGV[3]  how many products
-- then, for each product, seven: id, supplied, revision, price, limit, starts, ends; the last three
-- may be empty
--   limit   units per user; or '<units or -> <sale> <units>', over the sale's products too
--   starts  in microseconds, as `ends`; or what halts it: paused, ended, archived, deleted
-- then, for each buyer, three: product, user, units returned in all; the user may be followed by a
-- space and the sale over whose products they count
--
-- Returns {1} closed · {2, epoch} · {0, product, …}: those whose terms were not taken, because a
-- limit came or went, or they were to be deleted, behind their first grant

local fields_per_product = 7
local root, epoch = ARGV[1], ARGV[2]

local header = redis.call('HMGET', KEYS[1], 'state', 'epoch', 'server', 'seq')
local info = redis.call('INFO', 'server', 'replication')
local server = string.match(info, 'run_id:(%x+)') .. string.match(info, 'master_replid:(%x+)')
if header[1] ~= 'open' or header[3] ~= server then return {1} end
if not (tonumber(header[2]) and tonumber(header[4])) then return {1} end
if header[2] ~= epoch then return {2, header[2]} end

local reply = {0}
local buyers = 4 + fields_per_product * tonumber(ARGV[3])
for at = 4, buyers - 1, fields_per_product do
    local key = root .. epoch .. ':p:' .. ARGV[at]
    local supplied = ARGV[at + 1]
    local stored = redis.call('HMGET', key, 'supplied', 'revision', 'limit')
    local applied = stored[1]
    local revision, limit, starts = ARGV[at + 2], ARGV[at + 4], ARGV[at + 5]
    if not applied then
        -- A product that has granted and is gone was evicted: nothing here can be trusted.
        if redis.call('EXISTS', root .. epoch .. ':k:' .. ARGV[at]) == 1 then return {1} end
        redis.call('HSET', key, 'free', supplied, 'supplied', supplied)
    elseif tonumber(supplied) > tonumber(applied) then
        local more = string.format('%.0f', tonumber(supplied) - tonumber(applied))
        redis.call('HINCRBY', key, 'free', more)
        redis.call('HSET', key, 'supplied', supplied)
    end
    if not applied or tonumber(revision) > tonumber(stored[2] or '0') then
        local first = applied and ((limit == '') == (stored[3] ~= false) or starts == 'deleted')
        if first and redis.call('EXISTS', root .. epoch .. ':k:' .. ARGV[at]) == 1 then
            reply[#reply + 1] = ARGV[at]
        else
            redis.call('HSET', key, 'revision', revision, 'price', ARGV[at + 3])
            for i, name in ipairs({'limit', 'starts', 'ends'}) do
                if ARGV[at + 3 + i] ~= '' then
                    redis.call('HSET', key, name, ARGV[at + 3 + i])
                elseif applied then
                    redis.call('HDEL', key, name)
                end
            end
        end
    end
end
for at = buyers, #ARGV, 3 do
    local user, sale = string.match(ARGV[at + 1], '^(%S+) ?(%S*)')
    local applied = redis.call('HGET', root .. epoch .. ':v:' .. ARGV[at], user) or '0'
    local more = tonumber(ARGV[at + 2]) - tonumber(applied)
    if more > 0 then
        local less = string.format('-%.0f', more)
        redis.call('HINCRBY', root .. epoch .. ':b:' .. ARGV[at], user, less)
        if sale ~= '' then redis.call('HINCRBY', root .. epoch .. ':s:' .. sale, user, less) end
        redis.call('HSET', root .. epoch .. ':v:' .. ARGV[at], user, ARGV[at + 2])
    end
end
return reply
