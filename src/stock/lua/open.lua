#!lua
-- Opens a shard's gate, in steps with the stock database's own mark between the last two. `close`
-- ends what an older generation grants; `load` puts down a header that grants nothing; `flip` opens
-- exactly that header and creates none, so that whoever slept in between changes nothing.
--
-- KEYS[1]  the shard's header     ARGV[1]  'close' | 'load' | 'flip'     ARGV[2]  generation
-- Returns 1 done (or was done) · 0 the header is another's, or not whole, or gone

local info = redis.call('INFO', 'server', 'replication')
local incarnation = string.match(info, 'run_id:(%x+)') .. string.match(info, 'master_replid:(%x+)')
local header = redis.call('HMGET', KEYS[1], 'state', 'generation', 'incarnation', 'seq')
local step = ARGV[1]

if step == 'close' or step == 'load' then
    if header[2] and tonumber(header[2]) >= tonumber(ARGV[2]) then return 0 end
    if step == 'load' then
        redis.call('HSET', KEYS[1], 'state', 'loading', 'generation', ARGV[2],
            'incarnation', incarnation, 'seq', '0')
    elseif header[1] then
        redis.call('HSET', KEYS[1], 'state', 'closed')
    end
    return 1
end

if header[2] ~= ARGV[2] or header[3] ~= incarnation or not tonumber(header[4]) then return 0 end
if header[1] == 'open' then return 1 end
if header[1] ~= 'loading' then return 0 end
redis.call('HSET', KEYS[1], 'state', 'open')
return 1
