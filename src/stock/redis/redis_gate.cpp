// The gate on Redis: one script call per batch and shard, guarded in the script itself.
//
// Each script compares the header's server identity with the server it runs in, and the caller's
// epoch with the header's, before it looks at anything else. So a server that lost, rolled
// back or exchanged its data answers `closed` to every process, however long that has slept;
// nothing here remembers that a gate was good a moment ago.

#include <algorithm>
#include <utility>

#include <flashsale/base/must_hold.hpp>
#include <flashsale/redis.hpp>
#include <flashsale/stock/module.hpp>

#include "gate_answers.hpp"
#include "gathered.hpp"
#include "metrics.hpp"
#include "redis_codec.hpp"
#include "redis_listing.hpp"
#include "redis_scripts.hpp"

namespace flashsale::stock {

namespace {

constexpr const char* shut_out_text = "the log takes none of this gate's events: it was replaced";

class redis_gate final : public gate {
public:
    redis_gate(std::vector<redis::client*> shards, shard_epochs& epochs,
               const redis_gate_options& options)
        : options_(options), epochs_(epochs) {
        for (std::uint32_t i = 0; i < shards.size(); ++i) {
            shards_.push_back(
                std::make_unique<shard>(i, shards[i], shard_keys(options.key_prefix, i)));
        }
    }

    batching_limits batching() const override { return options_.batching; }

    void reserve(std::vector<reservation> batch, callback<std::vector<decision>> done) override {
        metrics::gate_batches.add();
        metrics::gate_reservations.add(static_cast<std::int64_t>(batch.size()));
        reserve_as(std::move(batch), std::move(done), true, form::by_hint);
    }

    void give(std::vector<gate_product> products,
              callback<std::expected<void, errc>> done) override {
        if (products.empty()) return done({});
        give_as({std::move(products), {}}, std::move(done), true);
    }

    void take_returns(returned_units what, callback<std::expected<void, errc>> done) override {
        auto parts = by_shard(std::move(what), count());
        if (parts.empty()) return done({});
        auto all = std::make_shared<gathered>(gathered{parts.size(), {}, std::move(done)});
        for (returned_units& one : parts)
            give_as(std::move(one), [all](auto given) { all->finish_part(units_of(given)); }, true);
    }

    void prune(std::vector<recorded_event> events,
               callback<std::expected<void, errc>> done) override;

    void available(
        std::vector<std::int64_t> product_ids,
        callback<std::expected<std::vector<std::optional<std::int64_t>>, errc>> done) override;

    void find_event(uuid id,
                    callback<std::expected<std::optional<std::string>, errc>> done) override {
        if (id.shard() >= shards_.size()) return done(std::optional<std::string>{});
        inspect(id.shard(), {"event", id.to_string()},
                [id, done = std::move(done)](std::expected<redis::value, errc> reply) mutable {
                    if (!reply) return done(std::unexpected(reply.error()));
                    if (reply->elements.size() != 2 ||
                        reply->elements[1].kind != redis::value::type::string) {
                        return done(std::optional<std::string>{});
                    }
                    done(std::optional(event_of_entry(id, reply->elements[1].text)));
                });
    }

    void find_events(std::uint32_t at, std::vector<uuid> ids,
                     callback<std::expected<found_events, errc>> done) override {
        std::vector<std::string> what{"events"};
        for (const uuid& id : ids)
            what.push_back(id.to_string());
        inspect(at, std::move(what), [ids, done = std::move(done)](auto reply) mutable {
            if (!reply) return done(std::unexpected(reply.error()));
            if (reply->elements.size() != ids.size() + 1)
                return done(std::unexpected(errc::outcome_unknown));
            found_events out;
            for (std::size_t i = 0; i < ids.size(); ++i) {
                const redis::value& one = reply->elements[i + 1];
                out.push_back(one.kind == redis::value::type::string
                                  ? std::optional(event_of_entry(ids[i], one.text))
                                  : std::nullopt);
            }
            done(std::move(out));
        });
    }

    void read_backlog(std::uint32_t at, callback<std::expected<backlog, errc>> done) override {
        inspect(at, {"state"}, [done = std::move(done)](auto reply) mutable {
            if (!reply) return done(std::unexpected(reply.error()));
            const auto found = decode_backlog(*reply);
            if (!found) return done(std::unexpected(errc::outcome_unknown));
            done(*found);
        });
    }

    std::expected<void, std::string> check() const override {
        std::expected<void, std::string> found;
        for (std::uint32_t at = 0; at < count(); ++at) {
            const redis::client& server = *shards_[at]->client;
            const gate_answer last = epochs_.answer(at);
            const bool shut_out = epochs_.is_shut_out(at);
            if ((last != gate_answer::open || shut_out) && server.ready()) look_again(at);
            if (!found) continue;
            if (!server.ready()) {
                found = std::unexpected("redis: " + server.fault());
            } else if (last != gate_answer::open) {
                found = std::unexpected(fault_of(last));
            } else if (shut_out) {
                found = std::unexpected(shut_out_text);
            }
        }
        return found;
    }

    void read_levels(std::uint32_t shard, std::vector<std::int64_t> product_ids,
                     callback<std::expected<levels, errc>> done) override;
    void read_outbox(std::uint32_t shard, std::string cursor,
                     callback<std::expected<outbox_page, errc>> done) override;
    void list_products(std::uint32_t at, std::uint64_t epoch, std::string cursor,
                       callback<std::expected<product_page, errc>> done) override {
        list_products_at(*shards_[at]->client, shards_[at]->keys, epoch, cursor, std::move(done));
    }

private:
    enum class form { by_hint, in_full };

    struct shard {
        std::uint32_t number;
        redis::client* client;
        shard_keys keys;
        uuid token;  // as the last reply had it
        bool looking = false;
    };

    /// An unready process is sent no orders whose answers would say that the gate is open again.
    void look_again(std::uint32_t at) const {
        shard& of = *shards_[at];
        if (std::exchange(of.looking, true)) return;
        const std::uint64_t epoch = epochs_.get(at);
        argument_list arguments;
        arguments.add(of.keys.root);
        arguments.add(epoch);
        arguments.add("state");
        const std::string_view keys[] = {of.keys.header};
        of.client->evaluate(
            scripts().inspect, keys, arguments.views(), [this, at, epoch](redis::result reply) {
                shards_[at]->looking = false;
                if (!reply) return;
                const auto status = status_of(*reply);
                note(at, epoch, status);
                if (status.what == script_status::kind::open &&
                    reply->elements.size() > token_place)
                    note_token(*shards_[at], uuid::parse(reply->elements[token_place].text));
            });
    }

    void note_token(shard& of, const std::optional<uuid>& token) const {
        if (!token || (*token == of.token && !epochs_.is_shut_out(of.number))) return;
        of.token = *token;
        epochs_.saw(of.number, *token);
    }

    /// Whichever script gave it. `epoch`: the asker's.
    void note(std::uint32_t at, std::uint64_t epoch, const script_status& status) const {
        const auto last = answer_of(status, epoch);
        if (!last) return;
        if (*last != gate_answer::open) metrics::gate_closed.add();
        if (epochs_.answer(at) == *last) return;
        tell_answer(epochs_, at, *last, shards_[at]->keys.header);
    }

    /// Runs a script that begins its reply with a status; hands on open ones, and those that tell
    /// of a newer epoch than the asker's.
    void run(std::uint32_t at, std::uint64_t epoch, const redis::script& what,
             const argument_list& arguments,
             callback<std::expected<std::pair<script_status, redis::value>, errc>> done) {
        shard& on = *shards_[at];
        const std::string_view keys[] = {on.keys.header};
        on.client->evaluate(
            what, keys, arguments.views(),
            [this, at, epoch, done = std::move(done)](redis::result reply) mutable {
                if (!reply) return done(std::unexpected(errc_of(reply.error())));
                const script_status status = status_of(*reply);
                note(at, epoch, status);
                using enum script_status::kind;
                if (status.what == malformed) return done(std::unexpected(errc::outcome_unknown));
                if (status.what == closed || (status.what == stale && status.epoch <= epoch))
                    return done(std::unexpected(errc::rebuilding));
                done(std::pair(status, std::move(*reply)));
            });
    }

    void reserve_as(std::vector<reservation> batch, callback<std::vector<decision>> done,
                    bool try_again, form how) {
        const std::uint32_t at = batch.front().id.shard();
        if (epochs_.is_shut_out(at))
            return done(std::vector<decision>(batch.size(), std::unexpected(errc::rebuilding)));
        const std::uint64_t epoch = epochs_.get(at);
        const auto arguments =
            reserve_arguments(shards_[at]->keys, epoch, options_.outbox_events_max, batch,
                              how == form::by_hint ? &sold_out_ : nullptr);
        run(at, epoch, scripts().reserve, arguments,
            [this, at, epoch, try_again, how, batch = std::move(batch),
             done = std::move(done)](auto reply) mutable {
                errc fault = errc::rebuilding;
                if (!reply) {
                    fault = reply.error();
                } else if (reply->first.what == script_status::kind::open) {
                    auto decoded = decode_decisions(std::move(reply->second), epoch, batch);
                    must_hold(decoded.decisions.size() == batch.size(),
                              "a reply is decoded into a decision for each reservation");
                    note_token(*shards_[at], decoded.token);
                    note_stock(batch, decoded.decisions);
                    if (decoded.ask_again.empty()) return done(std::move(decoded.decisions));
                    return ask_in_full(batch, std::move(decoded), std::move(done));
                } else if (try_again) {
                    epochs_.raise(at, reply->first.epoch);
                    return reserve_as(std::move(batch), std::move(done), false, how);
                }
                done(std::vector<decision>(batch.size(), std::unexpected(fault)));
            });
    }

    /// Nothing was taken for these: whatever becomes of the second question is their outcome.
    void ask_in_full(const std::vector<reservation>& batch, decoded_decisions first,
                     callback<std::vector<decision>> done) {
        std::vector<reservation> again;
        for (const std::size_t place : first.ask_again) {
            sold_out_.in_stock(batch[place].product_id);
            again.push_back(batch[place]);
        }
        reserve_as(
            std::move(again),
            [first = std::move(first), done = std::move(done)](std::vector<decision> made) mutable {
                must_hold(made.size() == first.ask_again.size(), "each is asked for again once");
                for (std::size_t i = 0; i < made.size(); ++i)
                    first.decisions[first.ask_again[i]] = std::move(made[i]);
                done(std::move(first.decisions));
            },
            true, form::in_full);
    }

    void note_stock(const std::vector<reservation>& batch, const std::vector<decision>& decisions) {
        for (std::size_t i = 0; i < batch.size(); ++i) {
            if (!decisions[i] && decisions[i].error() == errc::out_of_stock)
                sold_out_.refused(batch[i].product_id, batch[i].quantity);
        }
    }

    /// All of one shard.
    void give_as(returned_units units, callback<std::expected<void, errc>> done, bool try_again) {
        const std::uint32_t at = shard_of(units.products.front().id, count());
        for (const gate_product& one : units.products)
            epochs_.raise(at, one.epoch);
        const std::uint64_t epoch = epochs_.get(at);
        const auto arguments = give_arguments(shards_[at]->keys, epoch, units);
        run(at, epoch, scripts().give, arguments,
            [this, at, try_again, units = std::move(units),
             done = std::move(done)](auto reply) mutable {
                if (!reply) return done(std::unexpected(reply.error()));
                if (reply->first.what == script_status::kind::open)
                    return done(given_by(reply->second));
                if (!try_again) return done(std::unexpected(errc::rebuilding));
                epochs_.raise(at, reply->first.epoch);
                give_as(std::move(units), std::move(done), false);
            });
    }

    void inspect(std::uint32_t at, std::vector<std::string> what,
                 callback<std::expected<redis::value, errc>> done) {
        const std::uint64_t epoch = epochs_.get(at);
        argument_list arguments;
        arguments.add(shards_[at]->keys.root);
        arguments.add(epoch);
        for (const std::string& one : what)
            arguments.add(one);
        run(at, epoch, scripts().inspect, arguments, [done = std::move(done)](auto reply) mutable {
            if (!reply) return done(std::unexpected(reply.error()));
            done(std::move(reply->second));
        });
    }

    std::uint32_t count() const { return static_cast<std::uint32_t>(shards_.size()); }

    const redis_gate_options options_;
    shard_epochs& epochs_;
    std::vector<std::unique_ptr<shard>> shards_;
    sold_out_hints sold_out_;
};

void redis_gate::prune(std::vector<recorded_event> events,
                       callback<std::expected<void, errc>> done) {
    // The outbox is named by its epoch, so no guard is needed: an entry of that name is of
    // that event, or there is none.
    std::map<std::pair<std::uint32_t, std::uint64_t>, std::vector<uuid>> by_outbox;
    for (const recorded_event& event : events) {
        if (event.shard < count()) by_outbox[{event.shard, event.epoch}].push_back(event.id);
    }
    if (by_outbox.empty()) return done({});
    auto all = std::make_shared<gathered>(gathered{by_outbox.size(), {}, std::move(done)});
    for (const auto& [outbox, ids] : by_outbox) {
        const shard& on = *shards_[outbox.first];
        argument_list arguments;
        arguments.add("HDEL");
        arguments.add(on.keys.outbox(outbox.second));
        for (const uuid& id : ids) {
            arguments.add_with([&](std::string& bytes) { id.append_to(bytes); });
        }
        on.client->command(arguments.views(), [all](redis::result reply) {
            all->finish_part(reply ? std::expected<void, errc>{}
                                   : std::unexpected(errc_of(reply.error())));
        });
    }
}

void redis_gate::available(
    std::vector<std::int64_t> product_ids,
    callback<std::expected<std::vector<std::optional<std::int64_t>>, errc>> done) {
    using free_units = std::vector<std::optional<std::int64_t>>;
    std::map<std::uint32_t, std::vector<std::size_t>> by_shard;
    for (std::size_t i = 0; i < product_ids.size(); ++i) {
        by_shard[shard_of(product_ids[i], count())].push_back(i);
    }
    if (by_shard.empty()) return done(free_units{});
    auto found = std::make_shared<free_units>(product_ids.size());
    auto all = std::make_shared<gathered>(
        gathered{by_shard.size(),
                 {},
                 [found, done = std::move(done)](std::expected<void, errc> result) mutable {
                     if (!result) return done(std::unexpected(result.error()));
                     done(std::move(*found));
                 }});
    for (auto& [at, positions] : by_shard) {
        std::vector<std::int64_t> ids;
        for (const std::size_t position : positions)
            ids.push_back(product_ids[position]);
        read_levels(at, std::move(ids), [all, found, positions](std::expected<levels, errc> part) {
            if (!part) return all->finish_part(std::unexpected(part.error()));
            for (std::size_t i = 0; i < positions.size(); ++i) {
                if (part->products[i]) (*found)[positions[i]] = part->products[i]->free;
            }
            all->finish_part({});
        });
    }
}

void redis_gate::read_levels(std::uint32_t at, std::vector<std::int64_t> product_ids,
                             callback<std::expected<levels, errc>> done) {
    if (at >= count()) return done(std::unexpected(errc::product_not_found));
    std::vector<std::string> what{"products"};
    for (const std::int64_t id : product_ids)
        what.push_back(std::to_string(id));
    inspect(at, std::move(what),
            [this, at, count = product_ids.size(), done = std::move(done)](auto reply) mutable {
                if (!reply) return done(std::unexpected(reply.error()));
                auto out = decode_levels(*reply, count);
                if (!out) return done(std::unexpected(errc::outcome_unknown));
                note_token(*shards_[at], out->token);
                done(std::move(*out));
            });
}

void redis_gate::read_outbox(std::uint32_t at, std::string cursor,
                             callback<std::expected<outbox_page, errc>> done) {
    inspect(at, {"outbox", cursor.empty() ? "0" : std::move(cursor), "1000"},
            [done = std::move(done)](auto reply) mutable {
                if (!reply) return done(std::unexpected(reply.error()));
                auto page = decode_outbox_page(*reply);
                if (!page) return done(std::unexpected(errc::outcome_unknown));
                done(std::move(*page));
            });
}

}  // namespace

std::unique_ptr<gate> make_redis_gate(std::vector<redis::client*> shards, shard_epochs& epochs,
                                      const redis_gate_options& options) {
    return std::make_unique<redis_gate>(std::move(shards), epochs, options);
}

}  // namespace flashsale::stock
