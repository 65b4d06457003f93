#include "shop.hpp"

#include "buyers.hpp"
#include "process.hpp"
#include "service.hpp"

namespace flashsale::model {

namespace {

constexpr micros sale_time = 3 * second;
constexpr micros client_patience = 900 * ms;

}  // namespace

int shop::some_process() {
    return static_cast<int>(in_.random.below(in_.processes.size()));
}

void shop::open() {
    prng& random = in_.random;
    const std::int64_t products = random.between(1, 2);
    for (std::int64_t id = 1; id <= products; ++id) {
        const micros when = id == 1 ? 0 : random.between(0, sale_time / 2);
        product_row row;
        row.id = id;
        row.supplied = row.stock = random.between(1, 6);
        if (random.chance(50)) row.limit = random.between(1, 3);
        if (in_.with_life && random.chance(75))
            row.payment_window_s = static_cast<std::uint32_t>(random.between(1, 2));
        in_.after(when, [this, row] { create_product(row); });
        for (int i = random.chance(40) ? static_cast<int>(random.between(1, 3)) : 0; i > 0; --i) {
            in_.after(random.between(300 * ms, sale_time + second),
                      [this, id, quantity = random.between(1, 3),
                       key = "restock " + std::to_string(i)] { restock(id, quantity, key); });
        }
    }
    const int count = static_cast<int>(random.between(4, 14));
    const std::int64_t users = random.between(2, 5);
    in_.payers->open(users);
    for (int i = 0; i < count; ++i) {
        customer& who = customers_.emplace_back();
        who.wants.number = i;
        who.wants.reduction = random.chance(12);
        who.wants.user = who.wants.reduction ? 0 : random.between(1, users);
        who.wants.product = random.between(1, products);
        who.wants.quantity = random.chance(75) ? 1 : 2;
        who.wants.key = "k" + std::to_string(i);
        ++unanswered_;
        const micros when = random.between(20 * ms, sale_time);
        const int twins = random.chance(20) ? static_cast<int>(random.between(2, 3)) : 1;
        for (int twin = 0; twin < twins; ++twin)
            in_.after(when + random.between(0, 3 * ms), [this, &who] { ask(who); });
    }
}

namespace {

using answering = std::function<void(std::expected<stock::accepted, stock::refusal>)>;

class placing_in_simulation final : public order::placing {
public:
    explicit placing_in_simulation(answering done) : done_(std::move(done)) {}

    void finish(std::expected<order::placed, order::failure> outcome) override {
        if (outcome) {
            stock::accepted what{outcome->what.id, outcome->what.unit_price, outcome->replayed};
            what.payment_window_s = outcome->what.payment_window_s;
            return done_(std::move(what));
        }
        const auto* why = std::get_if<stock::refusal>(&outcome.error());
        done_(std::unexpected(why ? *why : stock::refusal(stock::errc::dependency_unavailable)));
    }

private:
    answering done_;
};

}  // namespace

void shop::ask(customer& who) {
    if (who.answered) return;
    const int attempt = ++who.asking;
    const int at = some_process();
    in_.tell("client", "key {} asks p{}: {} {} of product {} for user {}", who.wants.key, at,
             who.wants.reduction ? "take" : "buy", who.wants.quantity, who.wants.product,
             who.wants.user);
    in_.after(client_patience, [this, &who, attempt] {
        if (!who.answered && who.asking == attempt) ask(who);
    });
    in_.after(in_.transit(), [this, &who, at, asked = in_.now()] {
        process& of = *in_.processes[static_cast<std::size_t>(at)];
        if (!of.alive()) return;
        of.after(0, [this, &who, &of, asked] {
            of.ask_to_wait();
            const auto done = [this, &who, &of,
                               asked](std::expected<stock::accepted, stock::refusal> what) {
                of.done_waiting();
                in_.tell(of.name, "answers key {}: {}", who.wants.key,
                         what ? fmt::format("201 {}{}", short_id(what->id.to_string()),
                                            what->replayed ? " again" : "")
                              : std::string(stock::name_of(what.error())));
                if (what) in_.promised->accepted(who.wants, what->id);
                if (!what && what.error() < stock::errc::high_traffic)
                    in_.promised->refused(who.wants, stock::name_of(what.error()), asked);
                in_.after(in_.transit(), [this, &who, what] { answer(who, what); });
            };
            if (who.wants.reduction) {
                stock::reserve_request request;
                request.what = stock::operation::reduction;
                request.product_id = who.wants.product;
                request.quantity = who.wants.quantity;
                request.idempotency_key = who.wants.key;
                return of.reserver().reserve(std::move(request), done);
            }
            auto one = std::make_unique<placing_in_simulation>(done);
            one->request.user_id = who.wants.user;
            one->request.product_id = who.wants.product;
            one->request.quantity = who.wants.quantity;
            one->request.idempotency_key = who.wants.key;
            of.service().place(std::move(one));
        });
    });
}

void shop::answer(customer& who, const std::expected<stock::accepted, stock::refusal>& what) {
    if (what && !who.wants.reduction)
        in_.payers->got_order(who.wants, what->id, what->payment_window_s);
    if (what && !who.wants.reduction) look_up(what->id, static_cast<int>(in_.random.between(0, 2)));
    if (who.answered) return;
    if (what || what.error() < stock::errc::overloaded) {
        who.answered = true;
        --unanswered_;
        // Some ask once more, long after.
        if (in_.random.chance(25)) {
            in_.after(in_.random.between(100 * ms, 4 * second), [this, &who] {
                who.answered = false;
                ++unanswered_;
                ask(who);
            });
        }
        return;
    }
    const int attempt = who.asking;
    in_.after(in_.random.between(60 * ms, 400 * ms), [this, &who, attempt] {
        if (!who.answered && who.asking == attempt) ask(who);
    });
}

void shop::look_up(uuid id, int times) {
    if (times == 0) return;
    in_.after(in_.random.between(0, 1'500 * ms), [this, id, times, at = some_process()] {
        look_up(id, times - 1);
        process& of = *in_.processes[static_cast<std::size_t>(at)];
        if (!of.alive()) return;
        of.after(0, [this, id, &of] {
            of.spawn([](world& in, process& at_process, uuid wanted) -> awaitable<void> {
                const auto found = co_await at_process.service().find(wanted, "of the run");
                if (found) co_return;
                const auto* why = std::get_if<order::errc>(&found.error());
                if (why && *why == order::errc::order_not_found) {
                    in.tell(at_process.name, "GET {}: 404", short_id(wanted.to_string()));
                    in.promised->not_found(wanted);
                }
            }(in_, of, id));
        });
    });
}

void shop::create_product(const product_row& row) {
    process& of = *in_.processes[static_cast<std::size_t>(some_process())];
    if (!of.alive() || of.asleep()) {
        in_.after(100 * ms, [this, row] { create_product(row); });
        return;
    }
    of.spawn([](world& in, process& by, product_row made) -> awaitable<void> {
        const auto now = co_await by.ask<product_row>(*in.stock, [&record = *in.stock, made] {
            return record.products.try_emplace(made.id, made).first->second;
        });
        if (!now) co_return in.customers->create_product(made);
        in.tell(by.name, "created product {}: {} units, limit {}", now->id, now->supplied,
                now->limit.value_or(0));
        co_await await_callback<std::expected<void, stock::errc>>(
            [&](auto told) { by.gate().give({units_of(*now)}, std::move(told)); });
    }(in_, of, row));
}

void shop::restock(std::int64_t id, std::int64_t quantity, std::string key) {
    process& of = *in_.processes[static_cast<std::size_t>(some_process())];
    if (!of.alive() || of.asleep()) return;
    of.spawn([](world& in, process& by, std::int64_t product, std::int64_t units,
                std::string once) -> awaitable<void> {
        for (int tries = 0; tries < 3; ++tries) {
            auto given = co_await by.ask<std::optional<product_row>>(
                *in.stock,
                [&record = *in.stock, product, units, once]() -> std::optional<product_row> {
                    const auto found = record.products.find(product);
                    if (found == record.products.end()) return std::nullopt;
                    if (record.restocks.emplace(product, once).second) {
                        found->second.supplied += units;
                        found->second.stock += units;
                    }
                    return found->second;
                });
            if (!given) continue;
            if (!*given) co_return;
            const product_row row = **given;
            in.tell(by.name, "product {} is given {} in all", row.id, row.supplied);
            const auto told = co_await await_callback<std::expected<void, stock::errc>>(
                [&](auto done) { by.gate().give({units_of(row)}, std::move(done)); });
            if (told && tries > 0)
                co_return;  // and twice, when all is well: it must change nothing
        }
    }(in_, of, id, quantity, std::move(key)));
}

}  // namespace flashsale::model
