#!lua
-- Opens a shard's gate, in steps with the stock database's own mark between the last two. `close`
-- ends what an older generation grants; `load` puts down a header that grants nothing; `flip` opens
-- exactly that header and creates none, so that whoever slept in between changes nothing. `renew`
-- gives an open gate another token, if it has the one that is said to be worth nothing any more.
--
-- KEYS[1]  the shard's header     ARGV[1]  step     ARGV[2]  generation     ARGV[3]  deployment
-- then   for 'close'  the tokens that older gates were opened under
--        for 'load'   token
--        for 'renew'  old token, new token
-- Returns 1 done (or was done) · 0 the header is another's, or gone · -1 it is another deployment's
--   and for 'close' 2  done, but what was closed is none of those gates: it may be somewhere else

local info = redis.call('INFO', 'server', 'replication')
local incarnation = string.match(info, 'run_id:(%x+)') .. string.match(info, 'master_replid:(%x+)')
local header = redis.call('HMGET', KEYS[1], 'state', 'generation', 'incarnation', 'token', 'deployment')
local step, generation, deployment = ARGV[1], ARGV[2], ARGV[3]
local token = header[4]

if header[5] and header[5] ~= deployment then return -1 end

if step == 'close' or step == 'load' then
    if header[2] and tonumber(header[2]) >= tonumber(generation) then return 0 end
    if step == 'load' then
        redis.call('HSET', KEYS[1], 'state', 'loading', 'generation', generation,
            'incarnation', incarnation, 'seq', '0', 'token', ARGV[4], 'deployment', deployment)
        return 1
    end
    if not header[1] then return 2 end
    redis.call('HSET', KEYS[1], 'state', 'closed')
    for at = 4, #ARGV do
        if ARGV[at] == token then return 1 end
    end
    return 2
end

if header[2] ~= generation or header[3] ~= incarnation then return 0 end
if step == 'renew' then
    if header[1] ~= 'open' or token ~= ARGV[4] then return 0 end
    redis.call('HSET', KEYS[1], 'token', ARGV[5])
    return 1
end
if not token then return 0 end
if header[1] == 'open' then return 1 end
if header[1] ~= 'loading' then return 0 end
redis.call('HSET', KEYS[1], 'state', 'open')
return 1
