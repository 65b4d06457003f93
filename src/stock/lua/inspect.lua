#!lua flags=no-writes
-- Reads one thing of a shard, with the same guard as every other script.
--
-- KEYS[1]  the shard's header     ARGV[1]  root     ARGV[2]  what
--   'state'                      {0, generation, seq, token, outbox length}
--   'products', id…              {0, generation, seq, token, free, given, …}; false: no such product
--   'event', id                  {0, entry or false}; reserve.lua has its form
--   'events', id…               {0, entry or false, …}
--   'outbox', cursor, count      {0, next cursor, id, entry, id, entry, …}; '0' ends
-- Returns {1} if the gate is closed: what it holds proves nothing.

local root, what = ARGV[1], ARGV[2]

local header = redis.call('HMGET', KEYS[1], 'state', 'generation', 'incarnation', 'seq', 'token')
local info = redis.call('INFO', 'server', 'replication')
local incarnation = string.match(info, 'run_id:(%x+)') .. string.match(info, 'master_replid:(%x+)')
if header[1] ~= 'open' or not header[5] or header[3] ~= incarnation then return {1} end

local base = root .. header[2] .. ':'
if what == 'state' then
    return {0, header[2], header[4], header[5], redis.call('HLEN', base .. 'outbox')}
elseif what == 'products' then
    local reply = {0, header[2], header[4], header[5]}
    for at = 3, #ARGV do
        local stored = redis.call('HMGET', base .. 'p:' .. ARGV[at], 'free', 'given')
        reply[#reply + 1] = stored[1]
        reply[#reply + 1] = stored[2]
    end
    return reply
elseif what == 'event' then
    return {0, redis.call('HGET', base .. 'outbox', ARGV[3])}
elseif what == 'events' then
    local reply = redis.call('HMGET', base .. 'outbox', unpack(ARGV, 3))
    table.insert(reply, 1, 0)
    return reply
else
    local page = redis.call('HSCAN', base .. 'outbox', ARGV[3], 'COUNT', ARGV[4])
    local reply = {0, page[1]}
    for _, item in ipairs(page[2]) do reply[#reply + 1] = item end
    return reply
end
