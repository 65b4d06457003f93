#!lua
-- Decides a batch of reservations of one shard. Everything is checked before anything is written,
-- because a script is not rolled back; no write below can fail.
--
-- KEYS[1]  the shard's header: state, epoch, server, seq, token
-- ARGV[1]  root of the shard's keys      ARGV[2]  epoch the caller believes in
-- ARGV[3]  outbox_max
-- then runs, neighbours in the batch that want the same quantity of the same product:
--   product, quantity, count, and 'sale' or 'reduction' ('turned away' for a sale in short form; for
--   one that is to cost no more than that each, the unit price)
--   count key fields  's<user>:<key>' for a sale; 'r<key>' for a reduction: no window, no limit
--   unless in short form, count ids; one without its first 13 characters gets the time of this
--   decision in their place
-- The short form is for products that had nothing left a moment ago. It is decided like any other,
-- but what could be granted is not: the caller is told to ask again in full.
--
-- Returns {1} closed, or its header is not whole · {2, epoch} the caller's epoch is not
-- the gate's · else {0, …} and in the batch's order
--   an integer, 64 * count + code: so many neighbours were refused
--     1 no such product · 2 sale over · 3 limit · 4 out of stock · 5 key reused · 6 outbox full
--     7 not refused: ask again in full · 8 price changed · 9 total too high
--     12 its sale is paused · 13 has ended · 14 the product is archived
--     after 3, 4 and 8, one more integer: so many units the user may have, or there are; the price
--   'w <count> <starts> <wait>'     so many were too early: the sale starts then, and in so many
--                                   microseconds by this clock
--   't <token>'                     before the first of these: what is published of this reply goes
--                                   under this token; it decides nothing
--   'd <milliseconds>'              before the first grant: the time in the ids that have got theirs
--   'g <count> <seq> <price>'       so many neighbours were granted, the first under seq
--   'r <id> <price>'                granted before, and recorded since
--   'p <id> <price> <entry>'        granted before, its event still in the outbox, as this entry
--
-- An outbox entry is an event in short, under the event's id:
--   '<place> <product> <quantity> <price> <epoch> <base> <key field>', its seq is base + place
-- The event in full is three times as long, and every byte of a string costs Lua time whenever it
-- is made; src/stock/redis/outbox_entry.hpp writes it out.

local root, epoch, outbox_max = ARGV[1], ARGV[2], tonumber(ARGV[3])

local header = redis.call('HMGET', KEYS[1], 'state', 'epoch', 'server', 'seq', 'token')
local seq = tonumber(header[4])
if header[1] ~= 'open' or not (tonumber(header[2]) and header[3] and seq and header[5]) then return {1} end
-- The header's server identity is this server's run id and its replication id: both must stand in INFO.
local info = redis.call('INFO', 'server', 'replication')
local server, find, sub = header[3], string.find, string.sub
local _, found = find(info, 'run_id:' .. sub(server, 1, 40) .. '\r', 1, true)
local same = found and find(info, 'master_replid:' .. sub(server, 41) .. '\r', found, true)
if not same then return {1} end
if header[2] ~= epoch then return {2, header[2]} end

local base = root .. epoch .. ':'
local outbox_key = base .. 'outbox'

-- Numbers stay below 2^53, where doubles are exact; %.0f writes them out in full.
local function digits(number) return string.format('%.0f', number) end

-- One clock for the window and for the ids, in whole milliseconds, which is what an id holds: no
-- order is dated before its sale begins.
local now = nil
local function read_clock()
    if not now then
        local time = redis.call('TIME')
        now = tonumber(time[1]) * 1000000 + math.floor(tonumber(time[2]) / 1000) * 1000
    end
    return now
end

-- What stands in place of a beginning where nothing is sold, whatever the window: give.lua.
local halts = nil
local function halted(product)
    halts = halts or {paused = 12, ended = 13, archived = 14}
    return halts[product.starts_text]
end

-- nil: open; else what refuse() is told.
local function closed_by_window(product)
    if not product.starts_text and not product.ends then return nil end
    if product.starts_text and not product.starts then return halted(product) end
    read_clock()
    if product.starts and now < product.starts then return 0 end
    if product.ends and now >= product.ends then return 2 end
    return nil
end
local function too_early(product)
    product.too_early = product.too_early or
        product.starts_text .. ' ' .. digits(product.starts - now)
    return product.too_early
end

-- The price without what stands behind it: a currency, a payment window.
local function price_of(product)
    product.price_number = product.price_number or tonumber(string.match(product.price, '^%d+'))
    return product.price_number
end

-- The first characters of the ids of this batch: a version 7 UUID begins with 48 bits of milliseconds.
local id_time, milliseconds = nil, nil
local function make_id_time()
    milliseconds = read_clock() / 1000
    id_time = string.format('%08x-%04x', math.floor(milliseconds / 65536), milliseconds % 65536)
end

-- What the batch changes is decided on copies: products, each read once, and in each the records and
-- counts of buyers as this batch would leave them.
local products = {}

-- What buyers have of all products of a sale: one count for them all, which this batch changes.
local sales = nil
local function read_sale_limit(product, text)
    local own, id, limit = string.match(text, '^(%S+) (%S+) (%S+)$')
    product.limit = tonumber(own) or math.huge
    sales = sales or {}
    sales[id] = sales[id] or {bought = {}, buyers = {}}
    sales[id].limit = tonumber(limit)
    product.over_sale, product.sale = sales[id], id
end
local function read_product(id)
    local stored = redis.call('HMGET', base .. 'p:' .. id, 'free', 'limit', 'starts', 'ends', 'price')
    local product = false
    if stored[1] and stored[3] ~= 'deleted' then
        product = {
            free = tonumber(stored[1]), limit = tonumber(stored[2]),
            starts = tonumber(stored[3]), starts_text = stored[3], ends = tonumber(stored[4]),
            price = stored[5],
            taken = 0, records = {}, to_write = {}, bought = {}, buyers = {},
        }
        if stored[2] and not product.limit then read_sale_limit(product, stored[2]) end
    end
    products[id] = product
    return product
end

-- Buyers of a run, and what each has bought so far.
local function read_buyers(id, product, first, last)
    local users, bought = {}, product.bought
    for at = first, last do users[#users + 1] = string.match(ARGV[at], '^s(%d+):') end
    local stored = redis.call('HMGET', base .. 'b:' .. id, unpack(users))
    for i, user in ipairs(users) do
        if not bought[user] then bought[user] = tonumber(stored[i] or 0) end
    end
    if product.over_sale then
        bought = product.over_sale.bought
        stored = redis.call('HMGET', base .. 's:' .. product.sale, unpack(users))
        for i, user in ipairs(users) do
            if not bought[user] then bought[user] = tonumber(stored[i] or 0) end
        end
    end
    return users
end

local reply, replies = {0}, 1
local token = 't ' .. header[5]
local function tell_token()
    if not token then return end
    replies = replies + 1
    reply[replies] = token
    token = nil
end
local refusals, refusal, left = 0, 0, nil           -- neighbours not yet in the reply
local grants, first_seq, grant_price = 0, 0, ''
local function end_neighbours()
    if refusals > 0 then
        replies = replies + 1
        if refusal == 0 then
            reply[replies] = 'w ' .. refusals .. ' ' .. left
        else
            reply[replies] = refusals * 64 + refusal
            if left then
                replies = replies + 1
                reply[replies] = left
            end
        end
        refusals = 0
    elseif grants > 0 then
        tell_token()
        if milliseconds then
            replies = replies + 1
            reply[replies] = 'd ' .. digits(milliseconds)
            milliseconds = nil
        end
        replies = replies + 1
        reply[replies] = 'g ' .. grants .. ' ' .. digits(first_seq) .. ' ' .. grant_price
        grants = 0
    end
end
-- 0: too early. `of`: what is left, where that is told.
local function refuse(code, count, of)
    if code ~= refusal or of ~= left or grants > 0 then
        end_neighbours()
        refusal, left = code, of
    end
    refusals = refusals + count
end

local entries, entries_end = {}, 0                  -- id, entry, id, entry …
local function entry_of(id, of_this_batch)
    for at = 1, of_this_batch and entries_end or 0, 2 do
        if entries[at] == id then return entries[at + 1] end
    end
    return redis.call('HGET', outbox_key, id)
end

local function repeated(record, quantity, by_this_batch)
    local id, first_quantity, price = string.match(record, '^(%S+) (%S+) (%S+)$')
    if first_quantity ~= quantity then return refuse(5, 1) end
    end_neighbours()
    local waiting = entry_of(id, by_this_batch)
    if waiting then tell_token() end
    replies = replies + 1
    if waiting then
        reply[replies] = 'p ' .. id .. ' ' .. price .. ' ' .. waiting
    else
        reply[replies] = 'r ' .. id .. ' ' .. price
    end
end

local room = nil

local at, last = 4, #ARGV
while at < last do
    local id, quantity, count, what = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2]), ARGV[at + 3]
    local fields = at + 3
    local full = what ~= 'turned away'
    local product = products[id]
    if product == nil then product = read_product(id) end
    if not product then
        refuse(1, count)
    else
        local sale, units, limit = what ~= 'reduction', tonumber(quantity), product.limit
        local stored = redis.call('HMGET', base .. 'k:' .. id, unpack(ARGV, fields + 1, fields + count))
        local closed = sale and closed_by_window(product)
        local withheld = not full and 7 or nil          -- of what could be had
        if sale and full and (units > 1 or what ~= 'sale') then
            local price_max = tonumber(what)
            if not closed and price_max and price_of(product) > price_max then closed = 8 end
            if price_of(product) * units >= 2^53 then withheld = 9 end
        end
        local users = nil
        if sale and limit then users = read_buyers(id, product, fields + 1, fields + count) end
        local records, bought = product.records, product.bought
        local over_sale = product.over_sale
        local to_write, written = product.to_write, #product.to_write
        local entry_middle, base_of_middle = nil, nil
        local record_end = ' ' .. quantity .. ' ' .. product.price
        for i = 1, count do
            local record = stored[i]
            if not record and product.taken > 0 then record = records[ARGV[fields + i]] end
            local user = users and users[i]
            if record then
                repeated(record, quantity, not stored[i])
            elseif closed then
                refuse(closed, 1, closed == 0 and too_early(product) or
                                  closed == 8 and product.price_number or nil)
            elseif user and (bought[user] + units > limit or
                    over_sale and over_sale.bought[user] + units > over_sale.limit) then
                local allowed = limit - bought[user]
                if over_sale then
                    allowed = math.min(allowed, over_sale.limit - over_sale.bought[user])
                end
                refuse(3, 1, math.max(allowed, 0))
            elseif product.free < units then
                if refusal == 4 and refusals > 0 and left == product.free then
                    refusals = refusals + 1
                else
                    refuse(4, 1, product.free)
                end
            elseif withheld then
                refuse(withheld, 1)
            else
                room = room or outbox_max - redis.call('HLEN', outbox_key)
                if room <= 0 then
                    refuse(6, 1)
                else
                    local field, event_id = ARGV[fields + i], ARGV[fields + count + i]
                    if #event_id < 36 then
                        if not id_time then make_id_time() end
                        event_id = id_time .. event_id
                    end
                    seq = seq + 1
                    room = room - 1
                    product.free = product.free - units
                    product.taken = product.taken + units
                    record = event_id .. record_end
                    records[field] = record
                    to_write[written + 1] = field
                    to_write[written + 2] = record
                    written = written + 2
                    if base_of_middle ~= seq - i then  -- only after a refusal within the run
                        base_of_middle = seq - i
                        entry_middle = ' ' .. id .. record_end .. ' ' .. epoch .. ' ' ..
                            digits(base_of_middle) .. ' '
                    end
                    entries[entries_end + 1] = event_id
                    entries[entries_end + 2] = i .. entry_middle .. field
                    entries_end = entries_end + 2
                    if grants == 0 or grant_price ~= product.price then
                        end_neighbours()
                        first_seq, grant_price = seq, product.price
                    end
                    grants = grants + 1
                    if user then
                        bought[user] = bought[user] + units
                        product.buyers[user] = true
                        if over_sale then
                            over_sale.bought[user] = over_sale.bought[user] + units
                            over_sale.buyers[user] = true
                        end
                    end
                end
            end
        end
    end
    at = fields + count * (full and 2 or 1) + 1
end
end_neighbours()
if entries_end == 0 then return reply end

-- Write: the stock first, so that nothing imaginable could sell a unit twice.
for id, product in pairs(products) do
    if product and product.taken > 0 then
        redis.call('HINCRBY', base .. 'p:' .. id, 'free', '-' .. digits(product.taken))
    end
end
redis.call('HSET', KEYS[1], 'seq', digits(seq))
redis.call('HSET', outbox_key, unpack(entries))
for id, product in pairs(products) do
    if product and product.taken > 0 then
        redis.call('HSET', base .. 'k:' .. id, unpack(product.to_write))
        local buyers = {}
        for user in pairs(product.buyers) do
            buyers[#buyers + 1] = user
            buyers[#buyers + 1] = digits(product.bought[user])
        end
        if #buyers > 0 then redis.call('HSET', base .. 'b:' .. id, unpack(buyers)) end
    end
end
if sales then
    for id, sale in pairs(sales) do
        for user in pairs(sale.buyers) do
            redis.call('HSET', base .. 's:' .. id, user, digits(sale.bought[user]))
        end
    end
end
return reply
