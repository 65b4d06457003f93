#!lua flags=allow-oom
-- Opens a shard's gate, in steps with the stock database's own mark between the last two. `close`
-- ends what an older epoch grants; `load` puts down a header that grants nothing; `flip` opens
-- exactly that header and creates none, so that a process that slept in between changes nothing.
-- `renew` gives an open gate another token, if it has the one that is said to be worth nothing any
-- more.
-- `shut` ends what this epoch itself grants: it is not to be trusted any more. `hold` does the
-- same and says why it must not be rebuilt: its record knows less than it does. That stands until
-- `release`, when the record is found whole again, or a person accepts it as it is; then
-- it cannot be held again.
-- A server that is full must not keep from being closed, or from being made room in.
--
-- KEYS[1]  the shard's header     ARGV[1]  step     ARGV[2]  epoch     ARGV[3]  deployment
-- then   for 'close'  the tokens that older gates were opened under
--        for 'load'   token
--        for 'renew'  old token, new token
--        for 'hold'   why, for people
--        for 'release'  '1' if the record is accepted as it is
-- Returns 1 done (or was done) · 0 the header is another's, or not whole, or gone
--   -1 it is another deployment's · -2 it is held
--   and for 'close' 2  done, but what was closed is none of those gates: it may be somewhere else
--   and for 'hold' 2  it was held before

local info = redis.call('INFO', 'server', 'replication')
local server = string.match(info, 'run_id:(%x+)') .. string.match(info, 'master_replid:(%x+)')
local header = redis.call('HMGET', KEYS[1], 'state', 'epoch', 'server', 'token', 'deployment', 'seq',
    'held', 'accepted', 'generation')
local step, epoch, deployment = ARGV[1], ARGV[2], ARGV[3]
local token = header[4]
-- As the version before had it: such a gate grants nothing, but it can be closed, held and replaced.
header[2] = header[2] or header[9]

if header[5] and header[5] ~= deployment then return -1 end

if step == 'close' or step == 'load' then
    if header[2] and tonumber(header[2]) >= tonumber(epoch) then return 0 end
    if header[7] then return -2 end
    if step == 'load' then
        local evicted = string.match(redis.call('INFO', 'stats'), 'evicted_keys:(%d+)')
        redis.call('HSET', KEYS[1], 'state', 'loading', 'epoch', epoch,
            'server', server, 'seq', '0', 'token', ARGV[4], 'deployment', deployment,
            'evicted', evicted)
        redis.call('HDEL', KEYS[1], 'accepted', 'generation', 'incarnation')
        return 1
    end
    if not header[1] then return 2 end
    redis.call('HSET', KEYS[1], 'state', 'closed')
    for at = 4, #ARGV do
        if ARGV[at] == token then return 1 end
    end
    return 2
end

-- Whatever server it is on: it is what the header says that matters, not what it sells.
if step == 'hold' then
    if header[2] ~= epoch or header[1] == 'loading' or header[8] then return 0 end
    redis.call('HSET', KEYS[1], 'state', 'closed', 'held', ARGV[4])
    return header[7] and 2 or 1
end
if step == 'release' then
    if header[2] ~= epoch then return 0 end
    redis.call('HDEL', KEYS[1], 'held')
    if ARGV[4] == '1' then redis.call('HSET', KEYS[1], 'accepted', '1') end
    return 1
end

if header[2] ~= epoch or header[3] ~= server then return 0 end
if step == 'shut' then
    redis.call('HSET', KEYS[1], 'state', 'closed')
    return 1
end
if step == 'renew' then
    if header[1] ~= 'open' or token ~= ARGV[4] then return 0 end
    redis.call('HSET', KEYS[1], 'token', ARGV[5])
    return 1
end
if not token or not tonumber(header[6]) then return 0 end
if header[1] == 'open' then return 1 end
if header[1] ~= 'loading' then return 0 end
redis.call('HSET', KEYS[1], 'state', 'open')
return 1
