// The gate that such systems start with: optimistic locking on products.version.
//
// Each reservation reads the product, decides, and updates it on condition that the version has not
// moved; if it has, it begins again, three times in all, and then gives up with high_traffic. The
// update, the reservation, the movement and the outbox entry are one statement and so one
// transaction. A purchase limit needs no lock of its own: every sale of the product moves the
// version. It never oversells, and under a burst on one product most tries are wasted: it is here
// for the comparison, and for shops too small to care.

#include <flashsale/postgres.hpp>
#include <flashsale/stock/module.hpp>

#include <algorithm>
#include <chrono>

#include "database_statements.hpp"
#include "ledger/gate_product_columns.hpp"
#include "metrics.hpp"
#include "postgres_errc.hpp"
#include "refusals.hpp"
#include "reservation_event.hpp"

namespace flashsale::stock {

namespace {

// A gate that is its own record is never rebuilt: one epoch, and one token for ever, uuid{},
// which every process binds as it connects. Decision, movement and outbox are one transaction, so
// there is no process to be shut out.
constexpr std::uint64_t only_epoch = 1;
constexpr std::chrono::seconds backlog_age_max{1};

const char* kind_of(operation what) {
    return what == operation::sale ? "sale" : "reduction";
}

class database_gate final : public gate {
public:
    database_gate(postgres::pool& database, const database_gate_options& options)
        : database_(database), options_(options) {}

    batching_limits batching() const override { return {1, 64}; }

    void reserve(std::vector<reservation> batch, callback<std::vector<decision>> done) override {
        struct gathered {
            std::vector<decision> decisions;
            std::size_t left;
            callback<std::vector<decision>> done;
        };
        metrics::gate_batches.add();
        metrics::gate_reservations.add(static_cast<std::int64_t>(batch.size()));
        auto all = std::make_shared<gathered>(
            gathered{std::vector<decision>(batch.size(), std::unexpected(errc::outcome_unknown)),
                     batch.size(), std::move(done)});
        count_backlog();
        for (std::size_t i = 0; i < batch.size(); ++i) {
            attempt(std::make_shared<const reservation>(std::move(batch[i])), 1,
                    [all, i](decision made) {
                        all->decisions[i] = std::move(made);
                        if (--all->left == 0) all->done(std::move(all->decisions));
                    });
        }
    }

    void give(std::vector<gate_product>, callback<std::expected<void, errc>> done) override {
        done({});  // the products table is the gate
    }

    void take_returns(returned_units, callback<std::expected<void, errc>> done) override {
        done({});  // as above
    }

    void prune(std::vector<recorded_event> events,
               callback<std::expected<void, errc>> done) override {
        std::vector<uuid> ids;
        for (const recorded_event& event : events)
            ids.push_back(event.id);
        database_.execute(prune_events, std::move(postgres::parameters().uuids(ids)),
                          [done = std::move(done)](postgres::result result) mutable {
                              if (result) return done({});
                              done(std::unexpected(errc_of(result.error())));
                          });
    }

    void available(
        std::vector<std::int64_t> ids,
        callback<std::expected<std::vector<std::optional<std::int64_t>>, errc>> done) override {
        read_levels(0, std::move(ids), [done = std::move(done)](auto found) mutable {
            if (!found) return done(std::unexpected(found.error()));
            std::vector<std::optional<std::int64_t>> free;
            for (const auto& product : found->products) {
                free.push_back(product ? std::optional(product->free) : std::nullopt);
            }
            done(std::move(free));
        });
    }

    void find_event(uuid id,
                    callback<std::expected<std::optional<std::string>, errc>> done) override {
        find_events(0, {id}, [done = std::move(done)](auto found) mutable {
            if (!found) return done(std::unexpected(found.error()));
            done(std::move(found->front()));
        });
    }

    void find_events(std::uint32_t, std::vector<uuid> ids,
                     callback<std::expected<found_events, errc>> done) override {
        auto with = std::move(postgres::parameters().uuids(ids));
        database_.execute(
            read_events, std::move(with),
            [ids = std::move(ids), done = std::move(done)](postgres::result result) mutable {
                if (!result) return done(std::unexpected(errc_of(result.error())));
                std::unordered_map<uuid, std::string, uuid_hash> there;
                for (std::size_t row = 0; row < result->size(); ++row)
                    there.emplace(result->uuid(row, 0), event_at(*result, row));
                found_events out;
                for (const uuid& id : ids) {
                    const auto found = there.find(id);
                    out.push_back(found == there.end() ? std::nullopt
                                                       : std::optional(std::move(found->second)));
                }
                done(std::move(out));
            });
    }

    void read_backlog(std::uint32_t, callback<std::expected<backlog, errc>> done) override {
        database_.execute(count_some, std::move(postgres::parameters().integer(counted_max)),
                          [done = std::move(done)](postgres::result counted) mutable {
                              if (!counted) return done(std::unexpected(errc_of(counted.error())));
                              if (counted->integer(0, 0) > counted_max)
                                  return done(std::unexpected(errc::dependency_unavailable));
                              done(backlog{only_epoch, std::nullopt,
                                           static_cast<std::uint64_t>(counted->integer(0, 0))});
                          });
    }

    std::expected<void, std::string> check() const override {
        if (database_.ready()) return {};
        return std::unexpected("stock database: " + database_.fault());
    }

    void read_levels(std::uint32_t, std::vector<std::int64_t> ids,
                     callback<std::expected<levels, errc>> done) override {
        auto with = std::move(postgres::parameters().integers(ids));
        database_.execute(
            read_stock, std::move(with),
            [ids = std::move(ids), done = std::move(done)](postgres::result result) mutable {
                if (!result) return done(std::unexpected(errc_of(result.error())));
                levels out{only_epoch, 0, {}, {}};
                for (const std::int64_t id : ids) {
                    std::optional<levels::product> found;
                    for (std::size_t row = 0; row < result->size(); ++row) {
                        if (result->integer(row, 0) != id) continue;
                        found = levels::product{result->integer(row, 1), result->integer(row, 2),
                                                result->integer(row, 3)};
                    }
                    out.products.push_back(found);
                }
                done(std::move(out));
            });
    }

    void read_outbox(std::uint32_t, std::string cursor,
                     callback<std::expected<outbox_page, errc>> done) override {
        const uuid after = uuid::parse(cursor).value_or(uuid{});
        database_.execute(page_outbox, std::move(postgres::parameters().uuid(after)),
                          [done = std::move(done)](postgres::result result) mutable {
                              if (!result) return done(std::unexpected(errc_of(result.error())));
                              outbox_page page;
                              page.epoch = only_epoch;
                              page.read_at = result->time(0, event_columns);
                              for (std::size_t row = 0; row < result->size(); ++row) {
                                  if (result->is_null(row, 0)) break;  // there is none
                                  page.events.push_back(event_at(*result, row));
                                  page.next_cursor = result->uuid(row, 0).to_string();
                              }
                              done(std::move(page));
                          });
    }

    void list_products(std::uint32_t, std::uint64_t, std::string,
                       callback<std::expected<product_page, errc>> done) override {
        done(product_page{});  // the products table is the gate
    }

private:
    using asked = std::shared_ptr<const reservation>;

    /// What a grant insists on.
    struct versions {
        std::int64_t product = 0;
        std::optional<std::int64_t> sale;  ///< under a limit over it
    };
    static versions versions_of(const postgres::rows& read) {
        versions out{read.integer(0, column::version), {}};
        if (read.integer(0, column::sale_limit) != 0)
            out.sale = read.integer(0, column::sale_version);
        return out;
    }

    void attempt(asked what, int number, callback<decision> done) {
        postgres::parameters with;
        with.integer(what->product_id).text(kind_of(what->what)).integer(what->user_id);
        with.text(what->idempotency_key);
        database_.execute(
            read_product, std::move(with),
            [this, what, number, done = std::move(done)](postgres::result read) mutable {
                if (!read) return done(std::unexpected(errc_of(read.error())));
                auto known = decide(*what, *read);
                if (known) return done(std::move(*known));
                if (number > options_.tries_max) return done(std::unexpected(errc::high_traffic));
                if (options_.before_update) options_.before_update(what->product_id);
                uuid id = what->id;
                if (what->dated_by_gate) id.set_time(read->time(0, column::now));
                take(what, id, number, versions_of(*read),
                     {.currency = currency_of(*read), .payment_window_s = window_of(*read, 0)},
                     std::move(done));
            });
    }

    /// A repeat or a refusal; nullopt: the units may be taken if the version still holds.
    std::optional<decision> decide(const reservation& what, const postgres::rows& product) const {
        const halt halted =
            product.empty() ? halt::deleted : halt_of(product.text(0, column::halted));
        if (halted == halt::deleted) return std::unexpected(errc::product_not_found);
        if (!product.is_null(0, column::reserved_id)) {
            if (product.integer(0, 5) != what.quantity) {
                return std::unexpected(errc::idempotency_key_reused);
            }
            grant repeat;
            repeat.id = product.uuid(0, column::reserved_id);
            repeat.unit_price = product.integer(0, 7);
            repeat.currency = currency_of(product);
            repeat.payment_window_s = window_of(product, 0);
            repeat.repeat = true;
            repeat.recorded = product.is_null(0, 0);
            if (!repeat.recorded) repeat.event = event_at(product, 0);
            return repeat;
        }
        if (what.what == operation::sale) {
            if (halted != halt::none) return std::unexpected(refusal_of(halted));
            const auto opens = product.optional_time(0, column::starts);
            const timestamp now = product.time(0, column::now);
            if (opens && now < *opens) return std::unexpected(not_yet(*opens, now));
            if (product.boolean(0, column::is_over)) return std::unexpected(errc::sale_over);
            const std::int64_t price = product.integer(0, column::price);
            if (price > what.unit_price_max)
                return std::unexpected(refusal(errc::price_changed, price));
            const std::int64_t allowed = allowed_by(product);
            if (what.quantity > allowed)
                return std::unexpected(
                    refusal(errc::purchase_limit, std::max<std::int64_t>(allowed, 0)));
        }
        const std::int64_t stock = product.integer(0, column::stock);
        if (stock < what.quantity) return std::unexpected(refusal(errc::out_of_stock, stock));
        if (is_total_too_high(what, product.integer(0, column::price)))
            return std::unexpected(errc::total_too_high);
        if (backlog_ >= options_.outbox_events_max) return std::unexpected(errc::overloaded);
        return std::nullopt;
    }

    /// Units that the user may still have.
    static std::int64_t allowed_by(const postgres::rows& product) {
        std::int64_t out = units_max;
        if (const auto limit = product.optional_integer(0, column::limit))
            out = *limit - product.integer(0, column::bought);
        if (const auto limit = product.integer(0, column::sale_limit); limit != 0)
            out = std::min(out, limit - product.integer(0, column::bought_of_sale));
        return out;
    }

    /// It never changes, so it need not be read again with the units.
    static currency_code currency_of(const postgres::rows& product) {
        return currency_code::of_record(product.text(0, 8));
    }

    void take(asked what, const uuid& id, int number, const versions& still, grant_terms terms,
              callback<decision> done) {
        postgres::parameters with;
        with.integer(what->product_id).integer(still.product).integer(what->quantity).uuid(id);
        with.text(kind_of(what->what)).integer(what->user_id).text(what->idempotency_key);
        with.integer(static_cast<std::int64_t>(only_epoch));
        const bool counts_over_sale = still.sale && what->what == operation::sale;
        if (counts_over_sale) with.integer(*still.sale);
        database_.execute(counts_over_sale ? take_units_of_sale : take_units, std::move(with),
                          [this, what, id, number, terms,
                           done = std::move(done)](postgres::result taken) mutable {
                              const bool twin_was_first =
                                  !taken &&
                                  taken.error().what == postgres::error::kind::unique_violation;
                              const bool contended = !taken && is_contention(taken.error());
                              if (!taken && !twin_was_first && !contended) {
                                  return done(std::unexpected(errc_of(taken.error())));
                              }
                              if (taken && !taken->empty()) {
                                  grant out;
                                  out.id = id;
                                  out.unit_price = terms.unit_price = taken->integer(0, 0);
                                  out.currency = terms.currency;
                                  out.payment_window_s = terms.payment_window_s;
                                  terms.epoch = only_epoch;
                                  terms.seq = static_cast<std::uint64_t>(taken->integer(0, 1));
                                  out.event = event_of(*what, id, terms);
                                  return done(std::move(out));
                              }
                              metrics::gate_conflicts.add();
                              // After the last try once more: a twin's order may have been first.
                              attempt(what, number + 1, std::move(done));
                          });
    }

    /// The backlog is counted once a second, not once a reservation: the limit is a safeguard.
    void count_backlog() {
        const auto now = std::chrono::steady_clock::now();
        if (now - backlog_counted_ < backlog_age_max) return;
        backlog_counted_ = now;
        database_.execute(count_outbox, {}, [this](postgres::result counted) {
            if (counted) backlog_ = static_cast<std::size_t>(counted->integer(0, 0));
        });
    }

    postgres::pool& database_;
    const database_gate_options options_;
    std::size_t backlog_ = 0;
    deadline backlog_counted_{};
};

}  // namespace

std::unique_ptr<gate> make_database_gate(postgres::pool& database,
                                         const database_gate_options& options) {
    return std::make_unique<database_gate>(database, options);
}

}  // namespace flashsale::stock
