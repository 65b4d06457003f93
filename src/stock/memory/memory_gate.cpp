// The gate in memory, from any thread. The thread that decides gets its answer inside the call:
// with one HTTP worker that is the worker's own, and an order meets no other thread on its way to
// the log. Every other thread posts its whole batch to the deciding one and gets all decisions back
// in one post; what gathers meanwhile is its next batch.
//
// It needs none of the guards of the Redis gate. What that one finds out by comparing the server's
// server identity, here is a matter of course: the data and the code that decides on it die
// together.

#include <boost/asio/post.hpp>

#include <flashsale/stock/memory.hpp>
#include <flashsale/stock/module.hpp>

#include <utility>

#include "memory_gate_core.hpp"
#include "metrics.hpp"

namespace flashsale::stock {

namespace {

constexpr std::size_t batch_max = 1'024;
constexpr std::size_t outbox_page_events = 1'000;

}  // namespace

memory_gate_owner::memory_gate_owner(const memory_gate_options& options)
    : core_(std::make_unique<memory_gate_core>(options.outbox_events_max)) {}
memory_gate_owner::~memory_gate_owner() = default;

void memory_gate_owner::load(const gate_product& product) {
    core_->load(product);
}
bool memory_gate_owner::load(const allocation& taken) {
    return core_->load(taken);
}
void memory_gate_owner::load(const buyer_returns& buyer) {
    core_->load(buyer);
}
void memory_gate_owner::open(std::uint64_t epoch) {
    core_->open(epoch);
}

class memory_gate final : public gate {
public:
    memory_gate(memory_gate_owner& owner, asio::io_context& mine) : owner_(owner), mine_(mine) {}

    batching_limits batching() const override { return {batch_max, 1}; }

    void reserve(std::vector<reservation> batch, callback<std::vector<decision>> done) override {
        metrics::gate_batches.add();
        metrics::gate_reservations.add(std::ssize(batch));
        decide<std::vector<decision>>(
            [batch = std::move(batch)](memory_gate_core& core) mutable {
                return core.reserve(batch, wall_clock_now());
            },
            std::move(done));
    }

    void give(std::vector<gate_product> products,
              callback<std::expected<void, errc>> done) override {
        decide<std::expected<void, errc>>(
            [products = std::move(products)](memory_gate_core& core) {
                return core.give(products);
            },
            std::move(done));
    }

    void take_returns(returned_units what, callback<std::expected<void, errc>> done) override {
        decide<std::expected<void, errc>>(
            [what = std::move(what)](memory_gate_core& core) { return core.take_returns(what); },
            std::move(done));
    }

    void prune(std::vector<recorded_event> events,
               callback<std::expected<void, errc>> done) override {
        decide<std::expected<void, errc>>(
            [events = std::move(events)](memory_gate_core& core) -> std::expected<void, errc> {
                core.prune(events);
                return {};
            },
            std::move(done));
    }

    void available(
        std::vector<std::int64_t> product_ids,
        callback<std::expected<std::vector<std::optional<std::int64_t>>, errc>> done) override {
        decide<std::expected<std::vector<std::optional<std::int64_t>>, errc>>(
            [ids = std::move(product_ids)](memory_gate_core& core) { return core.available(ids); },
            std::move(done));
    }

    void find_event(uuid id,
                    callback<std::expected<std::optional<std::string>, errc>> done) override {
        decide<std::expected<std::optional<std::string>, errc>>(
            [id](memory_gate_core& core) { return core.find_event(id); }, std::move(done));
    }

    void find_events(std::uint32_t, std::vector<uuid> ids,
                     callback<std::expected<found_events, errc>> done) override {
        decide<std::expected<found_events, errc>>(
            [ids = std::move(ids)](memory_gate_core& core) -> std::expected<found_events, errc> {
                found_events all;
                for (const uuid& id : ids) {
                    auto one = core.find_event(id);
                    if (!one) return std::unexpected(one.error());
                    all.push_back(std::move(*one));
                }
                return all;
            },
            std::move(done));
    }

    /// Embedded, the recorder does not rest, and has no use for it.
    void read_backlog(std::uint32_t, callback<std::expected<backlog, errc>> done) override {
        done(std::unexpected(errc::dependency_unavailable));
    }

    std::expected<void, std::string> check() const override { return {}; }

    void read_levels(std::uint32_t, std::vector<std::int64_t> product_ids,
                     callback<std::expected<levels, errc>> done) override {
        decide<std::expected<levels, errc>>(
            [ids = std::move(product_ids)](memory_gate_core& core) {
                return core.read_levels(ids);
            },
            std::move(done));
    }

    void read_outbox(std::uint32_t, std::string cursor,
                     callback<std::expected<outbox_page, errc>> done) override {
        decide<std::expected<outbox_page, errc>>(
            [cursor = std::move(cursor)](memory_gate_core& core) {
                auto page = core.read_outbox(cursor, outbox_page_events);
                if (page) page->read_at = wall_clock_now();
                return page;
            },
            std::move(done));
    }

    void list_products(std::uint32_t, std::uint64_t, std::string,
                       callback<std::expected<product_page, errc>> done) override {
        done(product_page{});
    }

private:
    template <class Answer, class Question>
    void decide(Question ask, callback<Answer> done) {
        memory_gate_core& core = *owner_.core_;
        if (owner_.deciding_ == &mine_) return done(ask(core));
        asio::post(*owner_.deciding_,
                   [&core, &mine = mine_, ask = std::move(ask), done = std::move(done)]() mutable {
                       asio::post(mine, [answer = ask(core), done = std::move(done)]() mutable {
                           done(std::move(answer));
                       });
                   });
    }

    memory_gate_owner& owner_;
    asio::io_context& mine_;
};

std::unique_ptr<gate> make_memory_gate(memory_gate_owner& owner, asio::io_context& mine) {
    return std::make_unique<memory_gate>(owner, mine);
}

}  // namespace flashsale::stock
