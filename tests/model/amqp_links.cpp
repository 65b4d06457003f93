// amqp::publisher and amqp::consumer over the simulated broker: what src/amqp does with sockets and
// threads, done with events. The window of confirms and the tags of deliveries are the real ones.

#include <flashsale/amqp.hpp>

#include <algorithm>

#include "broker.hpp"
#include "confirm_window.hpp"
#include "delivery_tags.hpp"
#include "faults.hpp"
#include "links.hpp"
#include "process.hpp"

namespace flashsale::model {

namespace {

process& process_of(const std::string& url) {
    return *world::current()->processes[static_cast<std::size_t>(std::stoi(url))];
}

std::uint64_t last_client = 0;
std::map<std::uint64_t, broker_client*> clients;

/// One end of a connection; events find it by number, so that none finds it when it is gone.
class registered : public broker_client {
public:
    registered() : key(++last_client) { clients.emplace(key, this); }
    ~registered() override { clients.erase(key); }
    const std::uint64_t key;
};

constexpr micros reconnect_min = 20 * ms;
constexpr micros reconnect_max = 200 * ms;

}  // namespace

broker_client* find_broker_client(process&, std::uint64_t client) {
    const auto found = clients.find(client);
    return found == clients.end() ? nullptr : found->second;
}

void forget_links() {
    last_client = 0;
}

}  // namespace flashsale::model

namespace flashsale::amqp {

using model::broker;
using model::process;

struct publisher::impl final : model::registered {
    impl(const options& settings, limits bounds, std::function<bool(message&)> more,
         std::function<void(std::uint64_t, outcome)> report_to)
        : of(model::process_of(settings.url)),
          bounds_(bounds),
          next(std::move(more)),
          done(std::move(report_to)),
          window(bounds.window_max) {}

    ~impl() override {
        if (link) of.in.amqp->gone(link);
    }

    void connect() {
        link = of.in.amqp->connect(of.number, of.life(), key, false);
        if (!link) return reconnect();
        state = of.in.amqp->blocked() ? link_state::blocked : link_state::up;
        pump();
    }

    void reconnect() {
        of.after(of.in.random.between(model::reconnect_min, model::reconnect_max),
                 [this] { connect(); });
    }

    void wake() {
        if (woken) return;
        woken = true;
        strikes(of, "between a grant and its publishing");
        of.after(of.in.random.between(5, 400), [this] {
            woken = false;
            pump();
        });
    }

    void pump() {
        while (state == link_state::up && !window.full()) {
            message out;
            if (!next(out)) break;
            window.add(out.tag, std::chrono::steady_clock::now());
            of.in.amqp->publish(link, std::move(out.routing_key), std::move(out.body));
        }
        watch();
    }

    /// No confirm for too long: the connection is given up, as the real one does.
    void watch() {
        if (watching || !window.oldest()) return;
        watching = true;
        of.after(bounds_.confirm_timeout.count() * model::ms, [this] {
            watching = false;
            const auto oldest = window.oldest();
            if (oldest && std::chrono::steady_clock::now() - *oldest >= bounds_.confirm_timeout) {
                of.in.amqp->gone(link);
                cut();
            } else {
                watch();
            }
        });
    }

    void report() {
        std::vector<confirm_window::settled> now;
        now.swap(settled);
        for (const auto& [tag, what] : now)
            done(tag, what);
    }

    void confirmed(std::uint64_t number, bool multiple, bool nacked) override {
        if (nacked) {
            window.nack(number, multiple, settled);
        } else {
            window.ack(number, multiple, settled);
        }
        report();
        pump();
    }

    void returned(std::uint64_t number) override { window.mark_returned(number); }

    void cut() override {
        if (!link) return;
        link = nullptr;
        state = link_state::down;
        window.lose_all(settled);
        report();
        reconnect();
    }

    void blocked(bool now) override {
        if (!link) return;
        state = now ? link_state::blocked : link_state::up;
        if (!now) pump();
    }

    process& of;
    const limits bounds_;
    const std::function<bool(message&)> next;
    const std::function<void(std::uint64_t, outcome)> done;
    confirm_window window;
    std::vector<confirm_window::settled> settled;
    broker::handle link;
    link_state state = link_state::down;
    bool woken = false;
    bool watching = false;
};

publisher::publisher(options settings, topology, limits bounds, std::function<bool(message&)> next,
                     std::function<void(std::uint64_t, outcome)> done)
    : impl_(std::make_unique<impl>(settings, bounds, std::move(next), std::move(done))) {}
publisher::~publisher() = default;
void publisher::start() {
    impl_->connect();
}
void publisher::wake() {
    impl_->wake();
}
link_state publisher::state() const {
    return impl_->state;
}
std::string publisher::fault() const {
    return impl_->state == link_state::up ? "" : "not connected, or an alarm";
}
void publisher::stop(std::chrono::milliseconds) {}

struct consumer::impl final : model::registered {
    explicit impl(const options& settings) : of(model::process_of(settings.url)) {}
    ~impl() override {
        if (link) of.in.amqp->gone(link);
    }

    void delivered(std::uint64_t number, bool again, const std::string& body) override {
        gathered.push_back({tags.add(number), again, {}, body});
        of.arrived();
    }

    void cut() override {
        link = nullptr;
        gathered.clear();
        of.arrived();
    }

    process& of;
    broker::handle link;
    std::uint64_t incarnation = 0;
    delivery_tags tags;
    std::vector<delivery> gathered;
};

consumer::consumer(options settings, topology, std::uint16_t)
    : impl_(std::make_unique<impl>(settings)) {}
consumer::~consumer() = default;

std::expected<std::vector<delivery>, std::string> consumer::receive(
    std::size_t messages_max, std::chrono::milliseconds patience,
    std::chrono::steady_clock::time_point) {
    impl& my = *impl_;
    if (!my.link) {
        my.tags.begin(++my.incarnation);
        my.link = my.of.in.amqp->connect(my.of.number, my.of.life(), my.key, true);
        if (!my.link) return std::unexpected("not connected");
    }
    if (my.gathered.empty()) my.of.block_for_arrival(patience.count() * model::ms);
    if (!my.link) return std::unexpected("the connection is lost");
    if (my.gathered.size() <= messages_max) return std::exchange(my.gathered, {});
    const auto end = my.gathered.begin() + static_cast<std::ptrdiff_t>(messages_max);
    std::vector<delivery> taken(std::move_iterator(my.gathered.begin()), std::move_iterator(end));
    my.gathered.erase(my.gathered.begin(), end);
    return taken;
}

std::expected<void, std::string> consumer::acknowledge_up_to(std::uint64_t tag) {
    if (!impl_->link) return std::unexpected("not connected");
    if (impl_->tags.is_void(tag)) return std::unexpected("the tag is of an earlier connection");
    if (const auto number = impl_->tags.settle_up_to(tag)) {
        impl_->of.in.amqp->acknowledge_up_to(impl_->link, *number);
    }
    return {};
}

std::expected<void, std::string> consumer::dead_letter(std::uint64_t) {
    return std::unexpected("no message of the model is undecodable");
}
bool consumer::keep_alive() {
    return impl_->link != nullptr;
}
std::uint64_t consumer::incarnation() const {
    return impl_->incarnation;
}
link_state consumer::state() const {
    return impl_->link ? link_state::up : link_state::down;
}
std::string consumer::fault() const {
    return {};
}
void consumer::interrupt() {}
void consumer::close() {
    if (!impl_->link) return;
    impl_->of.in.amqp->gone(impl_->link);
    impl_->link = nullptr;
    impl_->gathered.clear();
}

std::expected<bool, std::string> is_consumed(const options&, const std::string&) {
    return model::world::current()->amqp->is_consumed();
}

namespace {

/// What was done, and whether its reply has come.
std::expected<void, std::string> reply(bool done) {
    auto& in = *model::world::current();
    if (!done) return std::unexpected("nobody answers");
    if (!in.faults_over && in.random.chance(4)) return std::unexpected("the reply is lost");
    return {};
}

}  // namespace

std::expected<void, std::string> declare(const options&, const topology&) {
    return model::world::current()->amqp->declare()
               ? std::expected<void, std::string>{}
               : std::unexpected(std::string("nobody answers"));
}

std::expected<void, std::string> reach(const options& settings) {
    return declare(settings, {});
}

std::expected<void, std::string> bind(const options&, const topology&,
                                      std::span<const std::string> keys) {
    return reply(model::world::current()->amqp->bind(keys));
}

std::expected<void, std::string> unbind(const options&, const topology&,
                                        std::span<const std::string> keys) {
    return reply(model::world::current()->amqp->unbind(keys));
}

std::expected<std::vector<std::string>, std::string> find_bound(const options&, const topology&,
                                                                std::span<const std::string> keys,
                                                                const std::string&,
                                                                std::chrono::milliseconds) {
    broker& asked = *model::world::current()->amqp;
    if (!asked.declare() || asked.blocked()) return std::unexpected("nobody answers");
    std::vector<std::string> bound;
    std::ranges::copy_if(keys, std::back_inserter(bound),
                         [&](const std::string& key) { return asked.is_bound(key); });
    return bound;
}

}  // namespace flashsale::amqp
