#pragma once

// How recovery waits and reaches the log in a run: each suspends its fiber, so its process may die
// or sleep there.

#include <flashsale/recovery/ports.hpp>

#include "process.hpp"

namespace flashsale::model {

/// Until a server's reply says that it is `done`.
void wait_for_server(process& of, const std::function<bool()>& done);

/// The process's log. What is declared or bound there is on its way to the broker for a while, and
/// the reply on its way back.
class distant_log final : public events::log {
public:
    explicit distant_log(process& of) : of_(of) {}

    std::unique_ptr<producer> open_producer(
        asio::io_context& reply_on,
        std::function<void(std::span<const events::confirmation>)> confirmed) override;
    events::log_state state() const override { return of_.log().state(); }
    std::string fault() const override { return of_.log().fault(); }
    std::uint64_t appended() const override { return of_.log().appended(); }

    std::expected<void, std::string> prepare() override;
    std::expected<void, std::string> bind(const uuid& token) override;
    std::expected<void, std::string> unbind(std::span<const uuid> tokens) override;
    std::expected<void, std::string> prove_unbound(std::span<const uuid> tokens) override;

    /// How often some have come.
    std::uint64_t confirms() const { return confirms_; }

    void start() override {}
    void stop(std::chrono::milliseconds) override {}

private:
    template <class What>
    std::expected<void, std::string> there_and_back(What what);

    process& of_;
    std::uint64_t confirms_ = 0;
};

class run_time final : public recovery::timing {
public:
    run_time(process& of, const distant_log& log) : of_(of), log_(log) {}

    deadline now() const override { return deadline::clock::now(); }
    timestamp wall_clock() const override { return wall_clock_now(); }
    void pause(std::chrono::milliseconds most) override;
    void wait(const std::function<bool()>& done) override { wait_for_server(of_, done); }
    bool stopping() const override { return false; }

private:
    process& of_;
    const distant_log& log_;
};

}  // namespace flashsale::model
