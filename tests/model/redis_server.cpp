#include "redis_server.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "promises.hpp"

namespace flashsale::model {

using redis::value;

namespace {

value text_of(std::string_view text) {
    return {value::type::string, 0, std::string(text), {}};
}
value number_of(std::int64_t number) {
    return {value::type::integer, number, {}, {}};
}
value list_of(std::vector<value> elements) {
    return {value::type::array, 0, {}, std::move(elements)};
}

// Of what a scan goes over, so much at once, though few are there: its caller may die between
// pages.
constexpr std::size_t scanned_at_once = 6;

std::int64_t integer_of(std::string_view text) {
    std::int64_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc{} || end != text.data() + text.size())
        throw std::runtime_error("ERR value is not an integer: " + std::string(text));
    return out;
}

}  // namespace

redis_server::redis_server(world& in, lua_host& lua)
    : world_(in), lua_(lua), run_id_(fresh_identity()), replication_id_(fresh_identity()) {}

std::string redis_server::fresh_identity() {
    std::string out = fmt::format("{:016x}{:016x}", world_.random.next(), world_.random.next());
    out.append("00000000");
    return out;
}

void redis_server::set(std::string_view key, std::string_view field, std::string_view text) {
    if (field == "held") world_.promised->held(text);
    auto at = data_.find(key);
    if (at == data_.end()) at = data_.emplace(std::string(key), hash{}).first;
    auto found = at->second.find(field);
    if (found == at->second.end()) {
        written_.push_back({script_, std::string(key), std::string(field), std::nullopt});
        at->second.emplace(std::string(field), std::string(text));
    } else {
        written_.push_back({script_, std::string(key), std::string(field), found->second});
        found->second = text;
    }
}

bool redis_server::remove(std::string_view key, std::string_view field) {
    const auto at = data_.find(key);
    if (at == data_.end()) return false;
    const auto found = at->second.find(field);
    if (found == at->second.end()) return false;
    written_.push_back({script_, std::string(key), std::string(field), std::move(found->second)});
    at->second.erase(found);
    if (at->second.empty()) data_.erase(at);
    return true;
}

void redis_server::roll_back(std::size_t scripts) {
    const std::size_t limit = script_ - std::min(scripts, script_);
    while (!written_.empty() && written_.back().script > limit) {
        undo one = std::move(written_.back());
        written_.pop_back();
        hash& of = data_[one.key];
        if (one.before) {
            of[one.field] = std::move(*one.before);
        } else {
            of.erase(one.field);
            if (of.empty()) data_.erase(one.key);
        }
    }
}

void redis_server::lose_all() {
    data_.clear();
    written_.clear();
}

const redis_server::hash* redis_server::find(std::string_view key) const {
    const auto at = data_.find(key);
    return at == data_.end() ? nullptr : &at->second;
}

std::vector<std::string> redis_server::outbox_ids() const {
    std::vector<std::string> out;
    for (const auto& [key, fields] : data_) {
        if (!key.ends_with(":outbox")) continue;
        for (const auto& [id, unused] : fields)
            out.push_back(id);
    }
    return out;
}

bool redis_server::outbox_empty() const {
    return std::ranges::none_of(data_,
                                [](const auto& one) { return one.first.ends_with(":outbox"); });
}

/// A page of a map. A cursor says behind which key its page begins, so what is there all the time
/// is found, whatever comes and goes.
template <class Map, class Take>
value redis_server::scan(const Map& all, std::string_view cursor, const Take& take) {
    auto at = all.begin();
    if (const auto place = static_cast<std::size_t>(integer_of(cursor)); place > 0)
        at = all.upper_bound(scanned_to_.at(place - 1));
    std::vector<value> found;
    for (std::size_t i = 0; i < scanned_at_once && at != all.end(); ++i, ++at)
        take(*at, found);
    if (at == all.end()) return list_of({text_of("0"), list_of(std::move(found))});
    scanned_to_.push_back(std::prev(at)->first);
    return list_of({text_of(std::to_string(scanned_to_.size())), list_of(std::move(found))});
}

value redis_server::run(const std::vector<std::string_view>& words, bool may_write) {
    const std::string_view name = words.at(0);
    const auto writing = [&] {
        if (!may_write)
            throw std::runtime_error("ERR Write commands are not allowed from this script");
    };
    const hash* of = words.size() > 1 ? find(words[1]) : nullptr;
    const auto field = [&](std::string_view wanted) {
        if (!of) return value{};
        const auto found = of->find(wanted);
        return found == of->end() ? value{} : text_of(found->second);
    };
    if (name == "HMGET") {
        std::vector<value> out;
        for (std::size_t i = 2; i < words.size(); ++i)
            out.push_back(field(words[i]));
        return list_of(std::move(out));
    }
    if (name == "HGET") return field(words.at(2));
    if (name == "HLEN") return number_of(of ? std::ssize(*of) : 0);
    if (name == "HEXISTS") return number_of(field(words.at(2)).kind != value::type::nil);
    if (name == "HSCAN") {
        static const hash none;
        return scan(of ? *of : none, words.at(2), [](const auto& at, std::vector<value>& found) {
            found.push_back(text_of(at.first));
            found.push_back(text_of(at.second));
        });
    }
    if (name == "SCAN") {
        if (words.size() < 4 || words[2] != "MATCH")
            throw std::runtime_error("the simulated Redis scans what matches");
        const std::string pattern(words[3]);
        return scan(data_, words[1], [&](const auto& at, std::vector<value>& found) {
            if (fnmatch(pattern.c_str(), at.first.c_str(), 0) == 0)
                found.push_back(text_of(at.first));
        });
    }
    if (name == "HSET") {
        writing();
        if (words.size() < 4 || words.size() % 2 != 0)
            throw std::runtime_error("ERR wrong number of arguments for 'hset' command");
        for (std::size_t i = 2; i < words.size(); i += 2)
            set(words[1], words[i], words[i + 1]);
        return number_of(std::ssize(words) / 2 - 1);
    }
    if (name == "HINCRBY") {
        writing();
        const value before = field(words.at(2));
        const std::int64_t sum = (before.kind == value::type::nil ? 0 : integer_of(before.text)) +
                                 integer_of(words.at(3));
        set(words[1], words[2], std::to_string(sum));
        return number_of(sum);
    }
    if (name == "HDEL") {
        writing();
        std::int64_t removed = 0;
        for (std::size_t i = 2; i < words.size(); ++i)
            removed += remove(words[1], words[i]);
        return number_of(removed);
    }
    if (name == "DEL" || name == "UNLINK") {
        writing();
        std::int64_t removed = 0;
        for (std::size_t i = 1; i < words.size(); ++i) {
            const hash* gone = find(words[i]);
            if (!gone) continue;
            std::vector<std::string> fields;
            for (const auto& [key, unused] : *gone)
                fields.push_back(key);
            for (const std::string& key : fields)
                remove(words[i], key);
            ++removed;
        }
        return number_of(removed);
    }
    if (name == "EXISTS") return number_of(of ? 1 : 0);
    if (name == "INFO") {
        return text_of("# Server\r\nredis_version:7.0.15\r\nrun_id:" + run_id_ +
                       "\r\n# Replication\r\nrole:master\r\nmaster_replid:" + replication_id_ +
                       "\r\nmaster_replid2:0000000000000000000000000000000000000000\r\n"
                       "# Stats\r\nevicted_keys:0\r\n"
                       "# Memory\r\nused_memory:1000000\r\nused_memory_dataset:100000\r\n"
                       "mem_not_counted_for_evict:0\r\nmaxmemory:0\r\n"
                       "maxmemory_policy:noeviction\r\nlazyfree_pending_objects:0\r\n");
    }
    if (name == "TIME") {
        const micros now = world_.now();
        return list_of({text_of(std::to_string(1'800'000'000 + now / second)),
                        text_of(std::to_string(now % second))});
    }
    throw std::runtime_error("the simulated Redis does not know " + std::string(name));
}

std::expected<value, std::string> redis_server::execute(const std::vector<std::string_view>& words,
                                                        bool may_write) {
    try {
        return run(words, may_write);
    } catch (const std::exception& fault) {
        return std::unexpected(fault.what());
    }
}

redis::result redis_server::evaluate(std::string_view source, const std::vector<std::string>& keys,
                                     const std::vector<std::string>& arguments) {
    ++script_;
    return lua_.run(*this, source, keys, arguments);
}

redis::result redis_server::command(const std::vector<std::string>& words) {
    ++script_;
    return run({words.begin(), words.end()}, true);
}

std::shared_ptr<redis_connection> redis_server::connect() {
    auto made = std::make_shared<redis_connection>();
    std::erase_if(connections_, [](const auto& one) { return one->cut; });
    connections_.push_back(made);
    return made;
}

void redis_server::cut_connections(bool server_died) {
    for (const auto& one : connections_) {
        if (one->cut) continue;
        one->cut = true;
        one->still_arriving = server_died ? 0 : static_cast<int>(world_.random.between(0, 3));
        world_.after(world_.transit(), [one] { one->noticed(); });
    }
    connections_.clear();
}

void redis_server::account(const std::vector<std::string>& before) {
    const auto after = outbox_ids();
    for (const std::string& id : before) {
        if (std::ranges::find(after, id) == after.end()) world_.promised->lost_by_redis(id);
    }
}

void redis_server::stop() {
    world_.tell("redis", "is down");
    up_ = false;
    cut_connections(true);
}

void redis_server::restart(std::size_t scripts_lost) {
    const auto before = outbox_ids();
    roll_back(scripts_lost);
    run_id_ = fresh_identity();
    replication_id_ = fresh_identity();
    cut_connections(true);
    up_ = true;
    world_.tell("redis", "restarts without its last {} writes", scripts_lost);
    account(before);
}

void redis_server::restart_empty() {
    const auto before = outbox_ids();
    lose_all();
    run_id_ = fresh_identity();
    replication_id_ = fresh_identity();
    cut_connections(true);
    up_ = true;
    world_.tell("redis", "restarts empty");
    account(before);
}

void redis_server::flush_all() {
    const auto before = outbox_ids();
    lose_all();
    world_.tell("redis", "FLUSHALL");
    account(before);
}

void redis_server::fail_over(std::size_t scripts_lost) {
    const auto before = outbox_ids();
    roll_back(scripts_lost);
    former_run_ids_.push_back(run_id_);
    if (former_run_ids_.size() > 1 && world_.random.chance(50)) {
        run_id_ = former_run_ids_[former_run_ids_.size() - 2];  // back to the server before
    } else {
        run_id_ = fresh_identity();
    }
    replication_id_ = fresh_identity();
    cut_connections(true);
    up_ = true;
    world_.tell("redis", "fails over to a replica without the last {} writes", scripts_lost);
    account(before);
}

void redis_server::demote_and_promote(std::size_t scripts_lost) {
    const auto before = outbox_ids();
    roll_back(scripts_lost);
    replication_id_ = fresh_identity();
    cut_connections(true);
    world_.tell("redis", "was a replica of one without the last {} writes, and is master again",
                scripts_lost);
    account(before);
}

void redis_server::pause(micros time) {
    world_.tell("redis", "answers nothing for {} ms", time / ms);
    paused_until_ = std::max(paused_until_, world_.now() + time);
}

}  // namespace flashsale::model
