// The order of reading: the header, then the outbox, then the products, then the header again. An
// entry leaves the outbox only when both databases have its event; so what was granted up to the
// header's seq, and is not in the outbox any more, is in the databases by the time they are read.

#include <algorithm>

#include <flashsale/events/event.hpp>
#include <flashsale/redis.hpp>
#include <flashsale/stock/gate_account.hpp>

#include "redis_codec.hpp"
#include "redis_listing.hpp"
#include "redis_scripts.hpp"

namespace flashsale::stock {

namespace {

constexpr std::string_view entries_per_page = "1000";
constexpr std::size_t products_at_once = 64;

using done = std::expected<void, std::string>;

class account_reader {
public:
    account_reader(const waiting& wait, redis::client& client, std::uint32_t shard,
                   const redis_gate_options& options, const breath& breathe)
        : wait_(wait),
          client_(client),
          shard_(shard),
          options_(options),
          keys_(options.key_prefix, shard),
          breathe_(breathe) {}

    std::expected<std::optional<gate_account>, std::string> run() {
        auto header = read_gate_header(wait_, client_, shard_, options_);
        if (!header) return std::unexpected(header.error());
        if (!*header || !(*header)->is_of(options_.deployment))
            return std::optional<gate_account>{};
        out_.header = std::move(**header);
        if (auto read = read_outbox(); !read) return std::unexpected(read.error());
        if (auto read = read_products(); !read) return std::unexpected(read.error());
        const auto again = read_gate_header(wait_, client_, shard_, options_);
        if (!again) return std::unexpected(again.error());
        if (!*again || (*again)->epoch != out_.header.epoch)
            return std::unexpected("the gate was replaced while it was read");
        const auto server = read_gate_server(wait_, client_);
        if (!server) return std::unexpected(server.error());
        if (evicted_since(out_.header, *server)) return std::optional<gate_account>{};
        return std::move(out_);
    }

private:
    redis::result command(std::vector<std::string_view> words) {
        return wait_for<redis::result>(
            wait_, [&](auto reply) { client_.command(words, std::move(reply)); });
    }

    done read_outbox() {
        const std::string key = keys_.outbox(out_.header.epoch);
        std::string cursor = "0";
        do {
            const auto page = command({"HSCAN", key, cursor, "COUNT", entries_per_page});
            if (!page) return std::unexpected("redis: " + page.error().message);
            if (page->elements.size() != 2)
                return std::unexpected("redis: HSCAN answered nonsense");
            for (const std::string& text : events_of_entries(page->elements[1].elements)) {
                const auto event = events::parse(text);
                if (const auto seq = event ? events::seq_of(*event) : std::nullopt) {
                    out_.waiting.push_back(*seq);
                } else {
                    ++out_.unreadable;
                }
            }
            cursor = page->elements[0].text;
            if (auto rested = breathe_(); !rested) return rested;
        } while (cursor != "0");
        return {};
    }

    done read_products() {
        std::string cursor;
        do {
            const auto page =
                wait_for<std::expected<gate::product_page, errc>>(wait_, [&](auto reply) {
                    list_products_at(client_, keys_, out_.header.epoch, cursor, std::move(reply));
                });
            if (!page) return std::unexpected("redis: " + std::string(name_of(page.error())));
            for (std::size_t at = 0; at < page->ids.size(); at += products_at_once) {
                const auto count = std::min(products_at_once, page->ids.size() - at);
                if (auto read = read_supplied(std::span(page->ids).subspan(at, count)); !read)
                    return read;
            }
            cursor = page->next_cursor;
            if (auto rested = breathe_(); !rested) return rested;
        } while (!cursor.empty());
        return {};
    }

    done read_supplied(std::span<const std::int64_t> ids) {
        struct answers {
            std::vector<redis::result> of;  ///< each product
            std::size_t waited_for;
        };
        const auto found = std::make_shared<answers>();
        found->of.resize(ids.size());
        found->waited_for = ids.size();
        for (std::size_t i = 0; i < ids.size(); ++i) {
            const std::string key =
                keys_.root + std::to_string(out_.header.epoch) + ":p:" + std::to_string(ids[i]);
            // The second is what the version before called it.
            const std::string_view words[] = {"HMGET", key, "supplied", "given"};
            client_.command(words, [found, i](redis::result reply) {
                found->of[i] = std::move(reply);
                --found->waited_for;
            });
        }
        wait_([&found] { return found->waited_for == 0; });
        for (std::size_t i = 0; i < ids.size(); ++i) {
            const redis::result& one = found->of[i];
            if (!one) return std::unexpected("redis: " + one.error().message);
            const auto known =
                std::ranges::find(one->elements, redis::value::type::string, &redis::value::kind);
            if (known != one->elements.end())
                out_.supplied.emplace_back(ids[i], std::atoll(known->text.c_str()));
        }
        return {};
    }

    const waiting& wait_;
    redis::client& client_;
    const std::uint32_t shard_;
    const redis_gate_options& options_;
    const shard_keys keys_;
    const breath& breathe_;
    gate_account out_;
};

std::expected<std::int64_t, std::string> run_step(const waiting& wait, redis::client& client,
                                                  std::uint32_t shard, std::string_view step,
                                                  std::uint64_t epoch, std::string_view argument,
                                                  const redis_gate_options& options) {
    const shard_keys keys(options.key_prefix, shard);
    const std::string_view names[] = {keys.header};
    const std::string number = std::to_string(epoch);
    const std::string_view arguments[] = {step, number, options.deployment, argument};
    const auto reply = wait_for<redis::result>(wait, [&](auto done) {
        client.evaluate(scripts().open, names, arguments, std::move(done));
    });
    if (!reply) return std::unexpected("redis: " + reply.error().message);
    return reply->integer;
}

}  // namespace

std::expected<std::optional<gate_account>, std::string> read_gate_account(
    const waiting& wait, redis::client& client, std::uint32_t shard,
    const redis_gate_options& options, const breath& breathe) {
    return account_reader(wait, client, shard, options, breathe).run();
}

std::expected<holding, std::string> hold_gate(const waiting& wait, redis::client& client,
                                              std::uint32_t shard, std::uint64_t epoch,
                                              const std::string& why,
                                              const redis_gate_options& options) {
    const auto answer = run_step(wait, client, shard, "hold", epoch, why, options);
    if (!answer) return std::unexpected(answer.error());
    return *answer == 1 ? holding::now : *answer == 2 ? holding::before : holding::refused;
}

std::expected<bool, std::string> release_gate(const waiting& wait, redis::client& client,
                                              std::uint32_t shard, std::uint64_t epoch,
                                              bool accepted, const redis_gate_options& options) {
    const auto answer =
        run_step(wait, client, shard, "release", epoch, accepted ? "1" : "", options);
    if (!answer) return std::unexpected(answer.error());
    return *answer == 1;
}

}  // namespace flashsale::stock
