// A gate on Redis, rebuilt under an epoch of its own: its keys have names that no other attempt
// uses, and its header is the only one that the shard has. So an attempt that was overtaken writes
// nothing (the header is not its own), and what it left is told from what counts by its name.

#include <algorithm>
#include <charconv>

#include <flashsale/redis.hpp>
#include <flashsale/stock/gate_server.hpp>
#include <flashsale/stock/recovery.hpp>

#include "redis_codec.hpp"
#include "redis_scripts.hpp"

namespace flashsale::stock {

namespace {

constexpr std::string_view survivors_per_page = "500";
constexpr std::string_view keys_per_page = "1000";
constexpr std::chrono::seconds freeing_patience{30};

/// `{flashsale:0}:` + `12` + `:p:3` -> 12
std::optional<std::uint64_t> epoch_of(std::string_view key, std::string_view root) {
    if (!key.starts_with(root)) return std::nullopt;
    key.remove_prefix(root.size());
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), number);
    if (error != std::errc{} || end == key.data() + key.size() || *end != ':') return std::nullopt;
    return number;
}

}  // namespace

struct gate_rebuild::impl {
    waiting wait;
    redis::client& client;
    std::uint64_t epoch;
    uuid token;
    std::string deployment;
    shard_keys keys;

    std::expected<redis::value, std::string> ask(
        const std::function<void(callback<redis::result>)>& start) {
        auto reply = wait_for<redis::result>(wait, start);
        if (!reply) return std::unexpected("redis: " + reply.error().message);
        return std::move(*reply);
    }

    std::expected<redis::value, std::string> command(std::vector<std::string_view> words) {
        return ask([&](auto done) { client.command(words, std::move(done)); });
    }

    std::expected<redis::value, std::string> evaluate(const redis::script& what,
                                                      const argument_list& arguments) {
        const std::string_view names[] = {keys.header};
        return ask(
            [&](auto done) { client.evaluate(what, names, arguments.views(), std::move(done)); });
    }

    std::expected<std::int64_t, std::string> step(std::string_view name,
                                                  std::span<const uuid> tokens = {}) {
        argument_list arguments;
        arguments.add(name);
        arguments.add(epoch);
        arguments.add(deployment);
        for (const uuid& one : tokens)
            arguments.add_with([&](std::string& bytes) { one.append_to(bytes); });
        const auto reply = evaluate(scripts().open, arguments);
        if (!reply) return std::unexpected(reply.error());
        if (reply->integer == another_deployments)
            return std::unexpected("the gate " + keys.header +
                                   " is another deployment's: it is left as it is");
        if (reply->integer == held_gate)
            return std::unexpected("its record is behind its gate, which is shut for that");
        return reply->integer;
    }

    std::expected<bool, std::string> done(std::string_view name,
                                          std::span<const uuid> tokens = {}) {
        const auto answer = step(name, tokens);
        if (!answer) return std::unexpected(answer.error());
        return *answer == 1;
    }

    argument_list load_arguments(std::string_view what) const {
        argument_list out;
        out.add(keys.root);
        out.add(epoch);
        out.add(what);
        return out;
    }

    std::expected<redis::value, std::string> load(const argument_list& arguments) {
        auto reply = evaluate(scripts().load, arguments);
        if (!reply && reply.error().contains("OOM ")) {
            return std::unexpected(reply.error() +
                                   "; what older gates had is removed already: raise maxmemory");
        }
        if (!reply) return reply;
        if (status_of(*reply).what != script_status::kind::open)
            return std::unexpected("redis: the gate being loaded is gone, or another's");
        return reply;
    }

    /// Calls `each` with the shard's keys that end so and whose epoch is `wanted`, a page at a
    /// time.
    std::expected<void, std::string> for_each_page(
        std::string_view ending, const std::function<bool(std::uint64_t epoch)>& wanted,
        const std::function<std::expected<void, std::string>(std::vector<std::string> keys)>&
            each) {
        const std::string pattern = keys.root + "*" + std::string(ending);
        std::string cursor = "0";
        do {
            auto page = command({"SCAN", cursor, "MATCH", pattern, "COUNT", keys_per_page});
            if (!page) return std::unexpected(page.error());
            if (page->elements.size() != 2) return std::unexpected("redis: SCAN answered nonsense");
            std::vector<std::string> found;
            for (redis::value& key : page->elements[1].elements) {
                const auto of = epoch_of(key.text, keys.root);
                if (of && wanted(*of)) found.push_back(std::move(key.text));
            }
            if (auto done = each(std::move(found)); !done) return done;
            cursor = page->elements[0].text;
        } while (cursor != "0");
        return {};
    }

    /// By UNLINK, which gives the memory of what is large back in the background.
    std::expected<void, std::string> remove(const std::function<bool(std::uint64_t)>& wanted,
                                            const breath& breathe) {
        return for_each_page(
            {}, wanted,
            [&](const std::vector<std::string>& names) -> std::expected<void, std::string> {
                if (!names.empty()) {
                    std::vector<std::string_view> words{"UNLINK"};
                    words.insert(words.end(), names.begin(), names.end());
                    if (const auto removed = command(words); !removed)
                        return std::unexpected(removed.error());
                }
                return breathe();
            });
    }
};

gate_rebuild::gate_rebuild(waiting wait, redis::client& client, std::uint32_t shard,
                           std::uint64_t epoch, const uuid& token,
                           const redis_gate_options& options)
    : impl_(new impl{std::move(wait), client, epoch, token, options.deployment,
                     shard_keys(options.key_prefix, shard)}) {}

gate_rebuild::~gate_rebuild() = default;

std::expected<void, std::string> gate_rebuild::check_server() {
    const auto server = read_gate_server(impl_->wait, impl_->client);
    if (!server) return std::unexpected(server.error());
    if (server->replica) return std::unexpected("redis: the server is a replica");
    if (server->may_evict()) return std::unexpected(server->eviction_fault());
    return {};
}

std::expected<gate_rebuild::closing, std::string> gate_rebuild::close(std::span<const uuid> older) {
    const auto answer = impl_->step("close", older);
    if (!answer) return std::unexpected(answer.error());
    return *answer == 1                ? closing::met
           : *answer == closed_another ? closing::not_met
                                       : closing::overtaken;
}

std::expected<bool, std::string> gate_rebuild::begin() {
    return impl_->done("load", std::span(&impl_->token, 1));
}

std::expected<bool, std::string> gate_rebuild::open() {
    return impl_->done("flip");
}

std::expected<bool, std::string> gate_rebuild::renew(const uuid& old) {
    const uuid tokens[] = {old, impl_->token};
    return impl_->done("renew", tokens);
}

std::expected<void, std::string> gate_rebuild::for_each_survivor(
    const std::function<std::expected<void, std::string>(std::vector<std::string>)>& each) {
    const auto of_outbox = [&](const std::string& key) -> std::expected<void, std::string> {
        std::string cursor = "0";
        do {
            auto page = impl_->command({"HSCAN", key, cursor, "COUNT", survivors_per_page});
            if (!page) return std::unexpected(page.error());
            if (page->elements.size() != 2)
                return std::unexpected("redis: HSCAN answered nonsense");
            auto events = events_of_entries(page->elements[1].elements);
            if (!events.empty()) {
                if (auto done = each(std::move(events)); !done) return done;
            }
            cursor = page->elements[0].text;
        } while (cursor != "0");
        return {};
    };
    return impl_->for_each_page(
        ":outbox", [this](std::uint64_t of) { return of < impl_->epoch; },
        [&](const std::vector<std::string>& outboxes) -> std::expected<void, std::string> {
            for (const std::string& key : outboxes) {
                if (auto done = of_outbox(key); !done) return done;
            }
            return {};
        });
}

std::expected<void, std::string> gate_rebuild::load(
    std::span<const allocation> taken,
    const std::function<counting(std::int64_t product_id)>& counts) {
    if (taken.empty()) return {};
    argument_list arguments = impl_->load_arguments("takings");
    for (const allocation& one : taken) {
        const bool sale = one.what == operation::sale;
        arguments.add(one.product_id);
        const counting what = sale && one.user_id != 0 ? counts(one.product_id) : counting{};
        if (what.buyers) {
            add_counted_user(arguments, one.user_id, what.sale);
        } else {
            arguments.add("");
        }
        arguments.add(one.quantity);
        if (one.idempotency_key.empty()) {
            arguments.add("");
        } else {
            arguments.add_with([&](std::string& bytes) {
                add_key_field(bytes, one.what, one.user_id, one.idempotency_key);
            });
        }
        arguments.add_with([&](std::string& bytes) { one.order_id.append_to(bytes); });
        arguments.add_with([&](std::string& bytes) {
            append_price(bytes, one.unit_price, one.currency, one.payment_window_s);
        });
    }
    const auto loaded = impl_->load(arguments);
    if (!loaded) return std::unexpected(loaded.error());
    return {};
}

std::expected<void, std::string> gate_rebuild::load(std::span<const buyer_returns> buyers) {
    if (buyers.empty()) return {};
    argument_list arguments = impl_->load_arguments("returns");
    for (const buyer_returns& one : buyers)
        add_buyer(arguments, one);
    const auto loaded = impl_->load(arguments);
    if (!loaded) return std::unexpected(loaded.error());
    return {};
}

std::expected<std::vector<std::int64_t>, std::string> gate_rebuild::load(
    std::span<const gate_product> products) {
    if (products.empty()) return std::vector<std::int64_t>{};
    argument_list arguments = impl_->load_arguments("products");
    for (const gate_product& one : products)
        add_product(arguments, one);
    const auto loaded = impl_->load(arguments);
    if (!loaded) return std::unexpected(loaded.error());
    if (loaded->elements.size() != products.size() + 1)
        return std::unexpected("redis: the load script answered nonsense");
    std::vector<std::int64_t> free;
    for (std::size_t i = 1; i < loaded->elements.size(); ++i)
        free.push_back(std::atoll(loaded->elements[i].text.c_str()));
    return free;
}

std::expected<void, std::string> gate_rebuild::remove_older(const breath& breathe) {
    auto removed = impl_->remove([this](std::uint64_t of) { return of < impl_->epoch; }, breathe);
    if (!removed) return removed;
    // Until then it counts against maxmemory.
    const auto until = std::chrono::steady_clock::now() + freeing_patience;
    while (std::chrono::steady_clock::now() < until) {
        const auto server = read_gate_server(impl_->wait, impl_->client);
        if (!server) return std::unexpected(server.error());
        if (server->freeing_objects == 0) break;
        if (auto done = breathe(); !done) return done;
    }
    return {};
}

std::expected<void, std::string> gate_rebuild::remove_own(const breath& breathe) {
    return impl_->remove([this](std::uint64_t of) { return of == impl_->epoch; }, breathe);
}

}  // namespace flashsale::stock
