#include "gate_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <spdlog/spdlog.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>

#include <fstream>
#include <stdexcept>
#include <system_error>

#include <flashsale/base/uuid.hpp>
#include <flashsale/stock/awaited.hpp>

namespace flashsale::app {

namespace {

namespace json = boost::json;
using local = asio::local::stream_protocol;

constexpr std::size_t question_bytes_max = 64 * 1'024;
constexpr const char* file_name = "gate";
constexpr const char* file_of_older_versions = "gate.sock";
constexpr std::string_view name_prefix = "flashsale-gate-";

/// In the abstract namespace, which begins with a zero byte.
local::endpoint endpoint_of(const std::string& name) {
    return {std::string(1, '\0') + name};
}

void write_file(const std::filesystem::path& file, const std::string& text) {
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
    const int made =
        ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    const bool written = made >= 0 && ::fchmod(made, S_IRUSR | S_IWUSR) == 0 &&
                         ::write(made, text.data(), text.size()) == std::ssize(text);
    const int number = errno;
    if (made >= 0) ::close(made);
    if (!written) {
        throw std::runtime_error(file.string() +
                                 ": cannot be written: " + std::generic_category().message(number));
    }
}

/// The user at the other end; nullopt: it is not known.
std::optional<uid_t> peer_of(int descriptor) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
    return peer.uid;
}

std::string to_line(json::object reply) {
    return json::serialize(reply) + "\n";
}

std::string levels_line(const stock::gate_levels::levels& found) {
    json::array products;
    for (const auto& one : found.products) {
        if (one) {
            products.push_back(json::array{one->free, one->supplied});
        } else {
            products.push_back(nullptr);
        }
    }
    return to_line({{"epoch", found.epoch}, {"seq", found.seq}, {"products", std::move(products)}});
}

}  // namespace

gate_socket::gate_socket(asio::io_context& io, stock::gate_levels& gate,
                         stock::outbox_pages& outbox, const std::filesystem::path& folder)
    : gate_(gate), outbox_(outbox), name_file_(folder / file_name), acceptor_(io), client_(io) {
    const std::string name = std::string(name_prefix) + uuid_generator().make().to_string();
    acceptor_.open();
    acceptor_.bind(endpoint_of(name));
    acceptor_.listen();
    write_file(name_file_, name + "\n");
    std::error_code ignored;
    if (std::filesystem::is_socket(folder / file_of_older_versions, ignored))
        std::filesystem::remove(folder / file_of_older_versions, ignored);
}

gate_socket::~gate_socket() {
    stop();
}

void gate_socket::start() {
    // Not awaited: it ends with stop(), and its frame goes with the io_context.
    asio::co_spawn(acceptor_.get_executor(), serve(), [](std::exception_ptr) {});
}

void gate_socket::stop() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    client_.close(ignored);
    std::error_code not_there;
    std::filesystem::remove(name_file_, not_there);
}

awaitable<> gate_socket::serve() {
    while (acceptor_.is_open()) {
        boost::system::error_code error;
        co_await acceptor_.async_accept(client_, asio::redirect_error(use_awaitable, error));
        if (error) co_return;
        const auto peer = peer_of(client_.native_handle());
        if (peer && (*peer == ::geteuid() || *peer == 0)) co_await serve_client();
        client_.close(error);
    }
}

awaitable<> gate_socket::serve_client() {
    std::string received;
    while (true) {
        boost::system::error_code error;
        const std::size_t length = co_await asio::async_read_until(
            client_, asio::dynamic_buffer(received, question_bytes_max), '\n',
            asio::redirect_error(use_awaitable, error));
        if (error) co_return;
        const std::string reply = co_await answer(std::string_view(received).substr(0, length));
        received.erase(0, length);
        co_await asio::async_write(client_, asio::buffer(reply),
                                   asio::redirect_error(use_awaitable, error));
        if (error) co_return;
    }
}

awaitable<std::string> gate_socket::answer(std::string_view question) {
    json::error_code error;
    const json::value asked = json::parse(question, error);
    const json::object* object = error ? nullptr : asked.if_object();
    if (object != nullptr && object->contains("products") && object->at("products").is_array()) {
        std::vector<std::int64_t> ids;
        for (const json::value& one : object->at("products").get_array()) {
            if (const auto* id = one.if_int64()) ids.push_back(*id);
        }
        const auto found = co_await stock::read_levels(gate_, 0, std::move(ids));
        if (!found) co_return to_line({{"error", stock::name_of(found.error())}});
        co_return levels_line(*found);
    }
    if (object != nullptr && object->contains("outbox") && object->at("outbox").is_string()) {
        std::string cursor(object->at("outbox").get_string());
        const auto page = co_await stock::read_outbox(outbox_, 0, std::move(cursor));
        if (!page) co_return to_line({{"error", stock::name_of(page.error())}});
        json::array events;
        for (const std::string& one : page->events)
            events.emplace_back(one);
        co_return to_line({{"events", std::move(events)}, {"next_cursor", page->next_cursor}});
    }
    co_return to_line({{"error", "expected {\"products\":[ids]} or {\"outbox\":cursor}"}});
}

namespace {

class connected_gate final : public readable_gate {
public:
    explicit connected_gate(const std::filesystem::path& folder) : socket_(io_) {
        const auto file = folder / file_name;
        struct stat owner{};
        std::string name;
        if (!(std::ifstream(file) >> name) || ::stat(file.c_str(), &owner) != 0)
            throw std::runtime_error(file.string() + ": no process serves this folder");
        boost::system::error_code error;
        socket_.connect(endpoint_of(name), error);
        if (error) throw std::runtime_error(file.string() + ": " + error.message());
        if (peer_of(socket_.native_handle()) != owner.st_uid)
            throw std::runtime_error(file.string() + ": another user answers by this name");
    }

    std::expected<void, std::string> check() const override {
        if (fault_.empty()) return {};
        return std::unexpected(fault_);
    }

    void read_levels(std::uint32_t, std::vector<std::int64_t> product_ids,
                     callback<std::expected<levels, stock::errc>> done) override {
        json::array ids(product_ids.begin(), product_ids.end());
        const auto reply = ask({{"products", std::move(ids)}});
        if (!reply) return done(std::unexpected(stock::errc::dependency_unavailable));
        levels out;
        out.epoch = reply->at("epoch").to_number<std::uint64_t>();
        out.seq = reply->at("seq").to_number<std::uint64_t>();
        for (const json::value& one : reply->at("products").as_array()) {
            if (one.is_null()) {
                out.products.emplace_back(std::nullopt);
            } else {
                out.products.push_back(levels::product{one.at(0).as_int64(), one.at(1).as_int64()});
            }
        }
        done(std::move(out));
    }

    void read_outbox(std::uint32_t, std::string cursor,
                     callback<std::expected<outbox_page, stock::errc>> done) override {
        const auto reply = ask({{"outbox", cursor}});
        if (!reply) return done(std::unexpected(stock::errc::dependency_unavailable));
        outbox_page page;
        for (const json::value& one : reply->at("events").as_array())
            page.events.emplace_back(one.as_string());
        page.next_cursor = reply->at("next_cursor").as_string();
        done(std::move(page));
    }

    void list_products(std::uint32_t, std::uint64_t, std::string,
                       callback<std::expected<product_page, stock::errc>> done) override {
        done(product_page{});  // it has them from the record
    }

private:
    std::optional<json::object> ask(json::object question) {
        boost::system::error_code error;
        asio::write(socket_, asio::buffer(to_line(std::move(question))), error);
        if (!error) {
            const std::size_t length =
                asio::read_until(socket_, asio::dynamic_buffer(received_), '\n', error);
            if (!error) {
                json::value reply = json::parse(std::string_view(received_).substr(0, length));
                received_.erase(0, length);
                if (!reply.as_object().contains("error")) return std::move(reply.as_object());
                fault_ = reply.at("error").as_string();
                return std::nullopt;
            }
        }
        fault_ = error.message();
        return std::nullopt;
    }

    asio::io_context io_;
    local::socket socket_;
    std::string received_;
    std::string fault_;
};

}  // namespace

std::unique_ptr<readable_gate> connect_to_gate(const std::filesystem::path& folder) {
    return std::make_unique<connected_gate>(folder);
}

}  // namespace flashsale::app
