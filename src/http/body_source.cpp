#include <boost/asio/co_spawn.hpp>
#include <flashsale/http/body_source.hpp>

namespace flashsale::http {

namespace {

class coroutine_source final : public body_source,
                               public std::enable_shared_from_this<coroutine_source> {
public:
    coroutine_source(asio::io_context& io, std::function<awaitable<body_piece>()> next)
        : io_(io), next_(std::move(next)) {}

    void next(callback<body_piece> done) override {
        // The coroutine runs in next_'s closure, so that has to outlive it, dropped or not.
        asio::co_spawn(
            io_, next_(),
            [self = shared_from_this(), done = std::move(done)](const std::exception_ptr& thrown,
                                                                body_piece made) mutable {
                done(thrown ? body_piece(std::unexpected(what(thrown))) : std::move(made));
            });
    }

private:
    static std::string what(const std::exception_ptr& thrown) {
        try {
            std::rethrow_exception(thrown);
        } catch (const std::exception& error) {
            return std::string("it threw: ") + error.what();
        } catch (...) {
            return "it threw something that is no exception";
        }
    }

    asio::io_context& io_;
    std::function<awaitable<body_piece>()> next_;
};

}  // namespace

std::shared_ptr<body_source> make_body_source(asio::io_context& io,
                                              std::function<awaitable<body_piece>()> next) {
    return std::make_shared<coroutine_source>(io, std::move(next));
}

}  // namespace flashsale::http
