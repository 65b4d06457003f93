// Signals that are sent by mistake, and outputs that are not read.

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "served.hpp"

using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

/// A named pipe, of which this end is the reading one.
class fifo {
public:
    explicit fifo(const std::filesystem::path& at) : path_(at) {
        if (::mkfifo(at.c_str(), 0600) != 0) throw std::runtime_error("mkfifo");
        read_ = ::open(at.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    }
    ~fifo() { close(); }
    void close() {
        if (read_ >= 0) ::close(std::exchange(read_, -1));
    }
    /// Until it takes nothing more.
    void fill() const {
        const int write = ::open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        const std::string page(4'096, 'x');
        while (::write(write, page.data(), page.size()) > 0) {
        }
        ::close(write);
    }
    std::string take() const {
        std::string out;
        std::array<char, 65'536> some{};
        while (true) {
            const auto size = ::read(read_, some.data(), some.size());
            if (size <= 0) return out;
            out.append(some.data(), static_cast<std::size_t>(size));
        }
    }

private:
    std::filesystem::path path_;
    int read_ = -1;
};

void sells(const served& shop) {
    auto client = shop.client();
    static int number = 0;
    const auto user = make_user(client, "u" + std::to_string(++number));
    const auto product = make_product(client, 1);
    CHECK(outcome(place_order(client, user, product, 1)) == "201");
}

/// Each is a line of the log.
void send_signals(served& shop, int count) {
    for (int i = 0; i < count; ++i) {
        shop.shop().kill(i % 2 == 0 ? SIGUSR1 : SIGUSR2);
        std::this_thread::sleep_for(1ms);  // two of one kind at once are one
    }
}

}  // namespace

TEST_CASE("signals: what is sent by mistake ends nothing, and is said") {
    served shop;
    for (const auto& [number, name] :
         {std::pair{SIGUSR1, "SIGUSR1"}, std::pair{SIGUSR2, "SIGUSR2"},
          std::pair{SIGALRM, "SIGALRM"}, std::pair{SIGVTALRM, "SIGVTALRM"},
          std::pair{SIGPROF, "SIGPROF"}, std::pair{SIGPWR, "SIGPWR"}}) {
        shop.shop().kill(number);
        CHECK(shop.says(std::string(name) + " is ignored"));
    }
    shop.shop().kill(SIGRTMIN + 3);
    CHECK(shop.says("signal " + std::to_string(SIGRTMIN + 3) + " is ignored"));
    shop.shop().kill(SIGHUP);
    CHECK(shop.says("SIGHUP: the configuration was read again: nothing to take over"));
    for (const int silent : {SIGPIPE, SIGXFSZ, SIGTTOU})
        shop.shop().kill(silent);
    sells(shop);
    CHECK(shop.terminate() == 0);
}

TEST_CASE("signals: while it drains they end nothing either") {
    served shop("exec $SERVE", R"({"process": {"drain_timeout_ms": 2000}})");
    auto open = shop.client();
    open.send_raw("GET /livez HTTP/1.1\r\nHost: x\r\n");  // holds the drain up until it is over
    shop.shop().kill(SIGTERM);
    REQUIRE(shop.says("draining"));
    for (const int number : {SIGHUP, SIGUSR1, SIGUSR2, SIGALRM})
        shop.shop().kill(number);
    CHECK(shop.shop().wait(30s) == 0);
}

TEST_CASE("signals: SIGHUP takes over what a running process can have, and names the rest") {
    served shop("exec $SERVE", R"({"log": {"level": "warn"}})");
    auto client = shop.client();
    const std::string body = R"({"username":")" + std::string(500, 'x') + "\"}";
    CHECK(client.post("/v1/users", body).status == 400);

    shop.write_config(R"({"log": {"level": "info"}, "http": {"body_bytes_max": 300},
                          "redis": {"url": "redis://u:hunter2@h"}})");
    shop.shop().kill(SIGHUP);
    CHECK(
        shop.says("the configuration was read again: taken over: http.body_bytes_max, log.level"));
    CHECK(shop.says("not before the next start: redis.url"));
    CHECK(shop.output().find("hunter2") == std::string::npos);
    CHECK(client.post("/v1/users", body).code() == "body_too_large");
    shop.shop().kill(SIGUSR1);  // a line of the new level
    CHECK(shop.says("SIGUSR1 is ignored"));
    sells(shop);
}

TEST_CASE("signals: SIGHUP with a broken file keeps the configuration, and says so") {
    served shop("exec $SERVE", R"({"http": {"body_bytes_max": 300}})");
    const auto same_as_before = [&] {
        auto client = shop.client();
        return client.post("/v1/users", std::string(301, ' ')).code() == "body_too_large";
    };
    CHECK(same_as_before());
    int refused = 0;
    for (const auto& [text, what] :
         {std::pair{R"({"http": {"body_bytes_max": 9000})", "expected JSON"},
          std::pair{
              R"({"http": {"body_bytes_max": 9000}, "amqp": {"url": "amqp://u:hunter2@h,i"}})",
              "amqp.url: expected"},
          std::pair{R"({"http": {"body_bytes_max": 9000, "body_bytes_max": 9001}})",
                    "given twice"}}) {
        shop.write_config(text);
        shop.shop().kill(SIGHUP);
        CHECK(shop.says(what));
        ++refused;
        CHECK(eventually(
            20s, [&] { return shop.metric("flashsale_config_reloads_refused_total") == refused; }));
        CHECK(same_as_before());
    }
    std::filesystem::remove(shop.config_file());
    shop.shop().kill(SIGHUP);
    CHECK(shop.says("SIGHUP: the configuration stays as it was: " + shop.config_file().string() +
                    ": cannot be read"));
    CHECK(same_as_before());
    CHECK(shop.output().find("hunter2") == std::string::npos);
    CHECK(shop.terminate() == 0);
}

TEST_CASE(
    "signals: standard error full: nothing waits, lines are counted, and it goes on when it is "
    "read") {
    const scratch_folder here;
    fifo log(here / "log");
    served shop("exec $SERVE 2>'" + (here / "log").string() + "'");
    log.fill();
    eventually(20s, [&] {
        send_signals(shop, 1);
        return shop.metric("flashsale_log_lines_lost_total") >= 5;
    });
    CHECK(shop.metric("flashsale_log_lines_lost_total") >= 5);
    sells(shop);
    (void)log.take();
    send_signals(shop, 1);
    std::string read;
    CHECK(eventually(20s, [&] {
        return (read += log.take()).find("log lines were lost") != std::string::npos;
    }));
    log.fill();
    CHECK(shop.terminate() == 0);
}

TEST_CASE("signals: standard error whose reader is gone, or closed, or a full disk, ends nothing") {
    const scratch_folder here;
    const std::string how = GENERATE(as<std::string>{}, "gone", "closed", "full");
    CAPTURE(how);
    fifo log(here / "log");
    const std::string to = how == "gone"     ? "2>'" + (here / "log").string() + "'"
                           : how == "closed" ? "2>&-"
                                             : "2>/dev/full";
    served shop("exec $SERVE " + to);
    log.close();
    send_signals(shop, 10);
    if (how != "closed") {
        CHECK(eventually(20s, [&] {
            send_signals(shop, 1);
            return shop.metric("flashsale_log_lines_lost_total") > 0;
        }));
    } else {
        // Or the next file that is opened would get that number, and every line of the log.
        CHECK(std::filesystem::read_symlink("/proc/" + std::to_string(shop.shop().pid()) +
                                            "/fd/2") == "/dev/null");
    }
    sells(shop);
    CHECK(shop.terminate() == 0);
}

TEST_CASE(
    "signals: a command whose output nobody takes is not killed, and does not say that all is "
    "well") {
    const sandbox world(composition::embedded);
    const auto audit = [&](const std::string& to) {
        return run(
            {"bash", "-c",
             "'" + flashsale_binary() + "' audit --config '" + embedded_config() + "' " + to},
            world.variables());
    };
    CHECK(audit("").exit_code == 0);
    const auto full = audit(">/dev/full");
    CHECK(full.exit_code == 3);
    CHECK(full.output.find("standard output does not take") != std::string::npos);
}
