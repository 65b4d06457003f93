#pragma once

// A body whose pieces the test gives, and that tells what became of it.

#include <atomic>
#include <deque>

#include "server_fixture.hpp"

namespace flashsale::http {

struct tap {
    std::atomic<std::size_t> asked{0};
    std::atomic<bool> dropped{false};
    // On the worker's thread.
    std::deque<body_piece> pieces;
    callback<body_piece> waiting;
    std::size_t endless_bytes = 0;    ///< of a piece; 0: `pieces`
    std::size_t endless_max = 1'000;  ///< of them, then the end

    void give(body_piece one) {
        if (waiting) return std::exchange(waiting, nullptr)(std::move(one));
        pieces.push_back(std::move(one));
    }
};

class tapped_source final : public body_source {
public:
    explicit tapped_source(std::shared_ptr<tap> from) : tap_(std::move(from)) {}
    ~tapped_source() override {
        tap_->waiting = nullptr;
        tap_->dropped = true;
    }

    void next(callback<body_piece> done) override {
        const std::size_t number = ++tap_->asked;
        if (tap_->endless_bytes != 0) {
            return done(number > tap_->endless_max ? std::string()
                                                   : std::string(tap_->endless_bytes, 'x'));
        }
        if (tap_->pieces.empty()) {
            tap_->waiting = std::move(done);
            return;
        }
        body_piece one = std::move(tap_->pieces.front());
        tap_->pieces.pop_front();
        done(std::move(one));
    }

private:
    std::shared_ptr<tap> tap_;
};

/// A server whose /stream answers are tapped: each has a tap, in the order of their requests.
struct streaming_server : running_server {
    explicit streaming_server(const limits& bounds = {}) : running_server(bounds) {
        on_worker([this] {
            stream = [this] {
                taps.push_back(std::make_shared<tap>());
                taps.back()->endless_bytes = endless_bytes;
                return response{.status = 200,
                                .content_type = "text/plain",
                                .stream = std::make_shared<tapped_source>(taps.back())};
            };
            return true;
        });
    }

    ~streaming_server() { end(); }

    std::shared_ptr<tap> tap_of(std::size_t number) {
        REQUIRE(eventually([&] { return on_worker([&] { return taps.size() > number; }); }));
        return on_worker([&] { return taps[number]; });
    }
    /// From now on they have pieces of this size without end, at once.
    void make_endless(std::size_t piece_bytes) {
        on_worker([&] {
            endless_bytes = piece_bytes;
            return true;
        });
    }
    void give(std::size_t number, body_piece one) {
        const auto to = tap_of(number);
        on_worker([&] {
            to->give(std::move(one));
            return true;
        });
    }

    std::vector<std::shared_ptr<tap>> taps;  ///< on the worker's thread
    std::size_t endless_bytes = 0;           ///< of the next ones, likewise
};

}  // namespace flashsale::http
