#include "world.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <future>
#include <stdexcept>
#include <thread>

#include <boost/asio/ip/tcp.hpp>
#include <flashsale/base/async.hpp>
#include <flashsale/base/fault_points.hpp>

#include "eventually.hpp"
#include "http_client.hpp"

namespace flashsale::test {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr auto look = 10ms;
constexpr auto restore_limit = 60s;
constexpr auto start_limit = 120s;
constexpr auto settle_limit = 120s;
constexpr std::uint64_t warm_up_orders = 300;
constexpr std::uint64_t warm_up_scarce = 40;
constexpr std::int64_t plenty = 1'000'000;
constexpr std::int64_t scarce = 600;
constexpr std::int64_t limit_per_user = 3;
constexpr int ports_from = 700;  ///< above the stack's base port

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') {
        throw std::runtime_error(std::string(name) +
                                 " is not set: run script/faults, or script/stack up "
                                 "and eval \"$(script/stack env)\"");
    }
    return value;
}

/// `scheme://user@host:PORT/…`: where PORT begins, and its length.
std::pair<std::size_t, std::size_t> port_in(const std::string& url) {
    const auto authority = url.find("://") + 3;
    const auto end = std::min(url.find('/', authority), url.size());
    const auto colon = url.rfind(':', end);
    return {colon + 1, end - colon - 1};
}

constexpr const char* redis_variable = "FLASHSALE_REDIS__URL";
constexpr const char* amqp_variable = "FLASHSALE_AMQP__URL";

std::uint16_t port_of(const char* name) {
    const auto url = variable(name);
    const auto [at, size] = port_in(url);
    return static_cast<std::uint16_t>(std::stoi(url.substr(at, size)));
}

std::string through(std::string url, const fault_proxy& proxy) {
    const auto [at, size] = port_in(url);
    return url.replace(at, size, std::to_string(proxy.port()));
}

const char* const database_variables[] = {"FLASHSALE_POSTGRES__USER_URL",
                                          "FLASHSALE_POSTGRES__STOCK_URL",
                                          "FLASHSALE_POSTGRES__ORDER_URL"};

/// The same for all lives of a process. `next` is behind it then.
std::uint16_t free_port_from(int& next) {
    for (;;) {
        const auto port = static_cast<std::uint16_t>(next++);
        asio::io_context io;
        asio::ip::tcp::acceptor probe(io, asio::ip::tcp::v4());
        probe.set_option(asio::ip::tcp::acceptor::reuse_address(true));
        boost::system::error_code taken;
        probe.bind({asio::ip::address_v4::loopback(), port}, taken);
        if (!taken) return port;
    }
}

std::vector<std::int64_t> make_users(const sandbox& place, std::size_t count) {
    const auto rows = place.sql(sandbox::database::user,
                                "INSERT INTO users (username) SELECT 'user ' || n FROM "
                                "generate_series(1, " +
                                    std::to_string(count) + ") n RETURNING id");
    std::vector<std::int64_t> ids;
    for (const auto& row : rows)
        ids.push_back(std::stoll(*row[0]));
    return ids;
}

}  // namespace

ways::ways()
    : redis("127.0.0.1", port_of(redis_variable)),
      rabbitmq("127.0.0.1", port_of(amqp_variable)),
      postgres("127.0.0.1", port_of(database_variables[0])) {}

environment ways::of(const environment& variables) {
    environment out;
    out[redis_variable] = through(variables.at(redis_variable), redis);
    out[amqp_variable] = through(variables.at(amqp_variable), rabbitmq);
    for (const char* name : database_variables)
        out[name] = through(variables.at(name), postgres);
    return out;
}

world::world(world_options chosen) : chosen_(std::move(chosen)) {
    if (chosen_.first_apart) own_.emplace();
    if (chosen_.stopping_clock) clock_.emplace();
    environment variables = chosen_.variables;
    // Of the databases only the processes' ways are these: an audit needs none that fails.
    for (const char* name : {redis_variable, amqp_variable})
        variables[name] = through(variable(name), name == redis_variable ? redis() : rabbitmq());
    std::string without;
    for (const auto& one : chosen_.without)
        without += (without.empty() ? "" : ",") + one;
    if (!without.empty()) variables["FLASHSALE_WITHOUT"] = without;
    place_.emplace(composition::stack, variables, deadlines::shipped);

    int port = std::stoi(variable("FLASHSALE_STACK_PORT")) + ports_from;
    for (std::size_t i = 0; i < chosen_.processes; ++i)
        ports_.push_back(free_port_from(port));
    shops_.resize(chosen_.processes);
    next_life_.resize(chosen_.processes);
    for (std::size_t i = 0; i < chosen_.processes; ++i)
        start_with(i, i < chosen_.armed ? chosen_.first_life : environment{});

    http_client client(ports_[0]);
    const auto make_product = [&](const std::string& body) {
        const auto made = client.post("/v1/products", std::string_view(body));
        if (made.status != 201) throw std::runtime_error("no product: " + made.body);
        products_.push_back(made.json().at("id").as_int64());
    };
    const auto product = [](std::int64_t stock, const std::string& more) {
        return R"({"name":"Lamp","price":1999,"stock":)" + std::to_string(stock) + more + "}";
    };
    make_product(product(plenty, ""));
    make_product(product(plenty, ",\"per_user_limit\":" + std::to_string(limit_per_user)));
    make_product(product(scarce, ""));
    make_product(product(10, ""));

    crowd_options options;
    options.ports = ports_;
    options.users = make_users(*place_, chosen_.users);
    options.products = products_;
    if (chosen_.all_want_the_scarce) options.products = {products_.back()};
    options.restocked = products_.back();
    options.seed = chosen_.seed;
    options.think = chosen_.think;
    options.hang_ups = chosen_.hang_ups;
    options.twins = chosen_.twins;
    options.twins_each = chosen_.twins_each;
    options.answer_patience = chosen_.answer_patience;
    options.patient = chosen_.patient;
    people_.emplace(std::move(options));
    try {
        sell(chosen_.all_want_the_scarce ? warm_up_scarce : warm_up_orders);
    } catch (const std::runtime_error& why) {
        throw std::runtime_error("the sale does not begin: " + std::string(why.what()) + "\n" +
                                 logs());
    }
}

world::~world() {
    people_.reset();
    for (auto& one : undo_) {
        try {
            one();
        } catch (const std::exception& why) {
            std::fprintf(stderr, "undoing a fault: %s\n", why.what());
        }
    }
    for (auto* proxy : {&redis(), &rabbitmq(), &postgres()})
        proxy->heal();
}

// ---- processes

void world::start_with(std::size_t which, const environment& extra) {
    environment variables = extra;
    const bool apart = which == 0 && own_;
    variables.merge((apart ? *own_ : common_).of(place_->variables()));
    if (which == 0 && clock_) variables.merge(clock_->variables());
    variables["FLASHSALE_HTTP__PORT"] = std::to_string(ports_[which]);
    shops_[which] = std::make_unique<flashsale_process>(*place_, variables, 60s);
}

// A process that finds no server ends, and is started again by whatever watches over it. On a busy
// machine the servers, which are behind proxies here, may be slower than it waits.
void world::start(std::size_t which, const environment& extra) {
    stopped_.erase(which);
    const auto give_up = steady::now() + start_limit;
    while (true) {
        try {
            return start_with(which, extra);
        } catch (const std::runtime_error& ended) {
            const auto before = crashes_;
            note_crash(ended.what());
            if (crashes_ != before) return;
            const bool no_server = std::string_view(ended.what()).contains(" within 5000 ms");
            if (!no_server || steady::now() > give_up) throw;
        }
    }
}

void world::stop(std::size_t which) {
    stopped_.insert(which);
    kill(which, SIGKILL);
    if (shops_[which]) shops_[which]->wait(10s);
    shops_[which].reset();
}

void world::join() {
    stop(0);
    own_.reset();
    clock_.reset();
    start(0);
}

void world::wake_with_stopped_clock(steady::time_point since) {
    clock_->add(steady::now() - since);
    kill(0, SIGCONT);
}

bool is_stopped(pid_t process) {
    std::string line;
    std::ifstream stat("/proc/" + std::to_string(process) + "/stat");
    std::getline(stat, line);
    return line.find(") T ") != std::string::npos;
}

bool world::asleep(std::size_t which) const {
    return shops_[which] && is_stopped(shops_[which]->pid());
}

void world::kill(std::size_t which, int signal) {
    if (shops_[which]) shops_[which]->kill(signal);
}

std::string world::logs() const {
    std::string all = deaths_;
    for (std::size_t i = 0; i < shops_.size(); ++i) {
        all +=
            "---- process " + std::to_string(i) + "\n" + (shops_[i] ? shops_[i]->log() : "gone\n");
    }
    return all;
}

void world::note_crash(const std::string& log) {
    if (log.find("crash point ") != std::string::npos) {
        ++crashes_;
        fault();
    }
}

void world::tend() {
    for (std::size_t i = 0; i < shops_.size(); ++i) {
        if (stopped_.contains(i) || (shops_[i] && shops_[i]->running())) continue;
        if (shops_[i]) {
            note_crash(shops_[i]->log());
            const auto code = shops_[i]->wait(0ms);
            if (code && *code != 0 && *code != faults::crash_exit_code && *code != 128 + SIGKILL) {
                const auto log = shops_[i]->log();
                deaths_ += "a process ended with " + std::to_string(*code) + ":\n" +
                           log.substr(log.size() - std::min<std::size_t>(log.size(), 1'500)) + "\n";
            }
            shops_[i].reset();
        }
        try {
            start_with(i, next_life_[i]);
        } catch (const std::runtime_error& not_yet) {
            // A server that it needs is away, or it died again: the next one to look after it goes
            // on.
            note_crash(not_yet.what());
        }
    }
}

// ---- time

void world::wait(std::chrono::milliseconds time) {
    const auto end = steady::now() + time;
    while (steady::now() < end) {
        tend();
        std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(look, end - steady::now()));
    }
}

void world::until(const char* what, const std::function<bool()>& condition,
                  std::chrono::milliseconds most) {
    const auto end = steady::now() + most;
    while (!condition()) {
        if (steady::now() > end) throw std::runtime_error(std::string("it never came: ") + what);
        wait(look);
    }
}

void world::sell(std::uint64_t orders) {
    const auto before = people_->accepted();
    until("orders accepted", [&] { return people_->accepted() >= before + orders; });
}

void world::refuse(std::uint64_t answers) {
    const auto before = people_->failed();
    until("answers 503, or none", [&] { return people_->failed() >= before + answers; });
}

void world::sold_before(std::int64_t orders) {
    const auto count = std::to_string(orders);
    const auto user = *place_
                           ->sql(sandbox::database::user,
                                 "INSERT INTO users (username) VALUES ('earlier') RETURNING id")
                           .at(0)
                           .at(0);
    const auto product =
        *place_
             ->sql(sandbox::database::stock,
                   "INSERT INTO products (name, price, supplied, stock) VALUES ('Earlier', 5, " +
                       count + ", 0) RETURNING id")
             .at(0)
             .at(0);
    const std::string each = "md5('earlier ' || n)::uuid",
                      all = " FROM generate_series(1, " + count + ") n";
    place_->sql(sandbox::database::order, "INSERT INTO orders SELECT " + each + ", " + user + ", " +
                                              product + ", 1, 5, 'SUCCESS', '" +
                                              std::string(sold_before_key) +
                                              "' || md5(n::text), 0, n, now()" + all);
    place_->sql(sandbox::database::stock,
                "INSERT INTO movements (id, product_id, delta, kind, epoch, seq) SELECT " + each +
                    ", " + product + ", -1, 'sale', 0, n" + all +
                    "; INSERT INTO movements (id, product_id, delta, kind) VALUES"
                    " (gen_random_uuid(), " +
                    product + ", " + count + ", 'initial')");
}

std::int64_t world::epoch() const {
    return place_->number(sandbox::database::stock, "SELECT epoch FROM shards");
}

// ---- the end

verdict world::close() {
    verdict found;
    const auto over = steady::now();
    const auto before = people_->accepted();
    until(
        "the first 201 after the fault", [&] { return people_->accepted() > before; },
        restore_limit);
    found.restored = std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - over);
    // Not a single lucky answer: the sale goes on.
    sell((chosen_.all_want_the_scarce ? warm_up_scarce : warm_up_orders) / 3);
    auto closing = std::async(std::launch::async, [this] { people_->finish(settle_limit); });
    while (closing.wait_for(0s) != std::future_status::ready)
        wait(look);
    tend();

    found.faults = faults_;
    add_up(found, *place_, *people_, ports_[0], may_be_parked_);
    if (!deaths_.empty()) found.complaints.push_back(deaths_);
    found.complaints.insert(found.complaints.end(), complaints_.begin(), complaints_.end());
    return found;
}

}  // namespace flashsale::test
