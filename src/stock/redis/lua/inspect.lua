#!lua flags=no-writes
-- Reads one thing of a shard, with the same guard as every other script.
--
-- KEYS[1]  the shard's header     ARGV[1]  root     ARGV[2]  epoch: the gate must not be older
-- ARGV[3]  what
--   'state'                      {0, epoch, seq, token, outbox length}
--   'products', id…              {0, epoch, seq, token, free, supplied, revision, …}; false where it has no such
--   'event', id                  {0, entry or false}; reserve.lua has its form
--   'events', id…               {0, entry or false, …}
--   'outbox', cursor, count      {0, next cursor, epoch, microseconds, id, entry, id, entry, …};
--                                '0' ends; so late it was by this server's clock, since 1970
-- Returns {1} if the gate is closed, {2, epoch} if it is an older one: what it holds proves
-- nothing.

local root, what = ARGV[1], ARGV[3]

local header = redis.call('HMGET', KEYS[1], 'state', 'epoch', 'server', 'seq', 'token')
local info = redis.call('INFO', 'server', 'replication')
local server = string.match(info, 'run_id:(%x+)') .. string.match(info, 'master_replid:(%x+)')
if header[1] ~= 'open' or header[3] ~= server then return {1} end
if not (tonumber(header[2]) and tonumber(header[4]) and header[5]) then return {1} end
if tonumber(header[2]) < tonumber(ARGV[2]) then return {2, header[2]} end

local base = root .. header[2] .. ':'
if what == 'state' then
    return {0, header[2], header[4], header[5], redis.call('HLEN', base .. 'outbox')}
elseif what == 'products' then
    local reply = {0, header[2], header[4], header[5]}
    for at = 4, #ARGV do
        local stored = redis.call('HMGET', base .. 'p:' .. ARGV[at], 'free', 'supplied', 'revision')
        reply[#reply + 1] = stored[1]
        reply[#reply + 1] = stored[2]
        reply[#reply + 1] = stored[3]
    end
    return reply
elseif what == 'event' then
    return {0, redis.call('HGET', base .. 'outbox', ARGV[4])}
elseif what == 'events' then
    local reply = redis.call('HMGET', base .. 'outbox', unpack(ARGV, 4))
    table.insert(reply, 1, 0)
    return reply
else
    local page = redis.call('HSCAN', base .. 'outbox', ARGV[4], 'COUNT', ARGV[5])
    local time = redis.call('TIME')
    local now = string.format('%.0f', tonumber(time[1]) * 1000000 + tonumber(time[2]))
    local reply = {0, page[1], header[2], now}
    for _, item in ipairs(page[2]) do reply[#reply + 1] = item end
    return reply
end
