#!lua
-- Loads a piece of the record into a gate that is being rebuilt: its header says 'loading', and
-- nothing is granted. A piece may be loaded again: each product and each taking counts once.
--
-- KEYS[1]  the shard's header     ARGV[1]  root     ARGV[2]  epoch     ARGV[3]  what
--   'products': then, for each, seven: id, supplied, revision, price, limit, starts, ends; as in
--               give.lua
--   'takings':  then, for each, six: product, user, quantity, key field, id, price
--     user       empty where no limit counts them; its sale behind it, as in give.lua
--     key field  as in reserve.lua; empty where no request can repeat it
--   'returns':  then, for each, three: product, user, units returned in all; as in give.lua
--
-- Returns {1} the header is not this attempt's: nothing was changed · else {0, …} and for
-- 'products' what is free of each

local root, epoch, what = ARGV[1], ARGV[2], ARGV[3]

local header = redis.call('HMGET', KEYS[1], 'state', 'epoch', 'server')
local info = redis.call('INFO', 'server', 'replication')
local server = string.match(info, 'run_id:(%x+)') .. string.match(info, 'master_replid:(%x+)')
if header[1] ~= 'loading' or header[2] ~= epoch or header[3] ~= server then return {1} end

local base = root .. epoch .. ':'
local function digits(number) return string.format('%.0f', number) end

if what == 'products' then
    local reply = {0}
    for at = 4, #ARGV, 7 do
        local key = base .. 'p:' .. ARGV[at]
        if redis.call('HEXISTS', key, 'supplied') == 0 then
            redis.call('HINCRBY', key, 'free', ARGV[at + 1])
            redis.call('HSET', key, 'supplied', ARGV[at + 1], 'revision', ARGV[at + 2],
                'price', ARGV[at + 3])
            for i, name in ipairs({'limit', 'starts', 'ends'}) do
                if ARGV[at + 3 + i] ~= '' then redis.call('HSET', key, name, ARGV[at + 3 + i]) end
            end
        end
        reply[#reply + 1] = redis.call('HGET', key, 'free')
    end
    return reply
end

if what == 'returns' then
    for at = 4, #ARGV, 3 do
        local product = ARGV[at]
        local user, sale = string.match(ARGV[at + 1], '^(%S+) ?(%S*)')
        local applied = redis.call('HGET', base .. 'v:' .. product, user) or '0'
        local more = tonumber(ARGV[at + 2]) - tonumber(applied)
        if more > 0 then
            redis.call('HINCRBY', base .. 'b:' .. product, user, '-' .. digits(more))
            if sale ~= '' then
                redis.call('HINCRBY', base .. 's:' .. sale, user, '-' .. digits(more))
            end
            redis.call('HSET', base .. 'v:' .. product, user, ARGV[at + 2])
        end
    end
    return {0}
end

local fields_per_item = 6
local products = {}
for at = 4, #ARGV, fields_per_item do
    local product = products[ARGV[at]]
    if not product then
        product = {fields = {}, records = {}, new = {}, buyers = {}, taken = 0}
        products[ARGV[at]] = product
    end
    -- The one that has the key, and the one that can be told from it by its id alone.
    product.fields[#product.fields + 1] = ARGV[at + 3] ~= '' and ARGV[at + 3] or 'x' .. ARGV[at + 4]
    product.fields[#product.fields + 1] = 'x' .. ARGV[at + 4]
end
for id, product in pairs(products) do
    local found = redis.call('HMGET', base .. 'k:' .. id, unpack(product.fields))
    for i, field in ipairs(product.fields) do product.records[field] = found[i] end
    product.next = 1
end
for at = 4, #ARGV, fields_per_item do
    local product = products[ARGV[at]]
    local field, by_id = product.fields[product.next], product.fields[product.next + 1]
    product.next = product.next + 2
    local id = ARGV[at + 4]
    local there = product.records[field]
    if there and string.sub(there, 1, #id) ~= id then
        field = by_id
        there = product.records[by_id]
    end
    if not there then
        local record = id .. ' ' .. ARGV[at + 2] .. ' ' .. ARGV[at + 5]
        product.records[field] = record
        product.new[#product.new + 1] = field
        product.new[#product.new + 1] = record
        product.taken = product.taken + tonumber(ARGV[at + 2])
        local user = ARGV[at + 1]
        if user ~= '' then
            product.buyers[user] = (product.buyers[user] or 0) + tonumber(ARGV[at + 2])
        end
    end
end
for id, product in pairs(products) do
    if #product.new > 0 then
        redis.call('HSET', base .. 'k:' .. id, unpack(product.new))
        redis.call('HINCRBY', base .. 'p:' .. id, 'free', '-' .. digits(product.taken))
        for buyer, quantity in pairs(product.buyers) do
            local user, sale = string.match(buyer, '^(%S+) ?(%S*)')
            redis.call('HINCRBY', base .. 'b:' .. id, user, digits(quantity))
            if sale ~= '' then
                redis.call('HINCRBY', base .. 's:' .. sale, user, digits(quantity))
            end
        end
    end
end
return {0}
