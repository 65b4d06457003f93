#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "record/arithmetic.hpp"
#include "load/histogram.hpp"
#include "load/traffic.hpp"

namespace flashsale::bench {

/// An order that was accepted, and what was sent to get it.
struct placed_order {
    std::int64_t user = 0;
    std::int64_t product = 0;
    std::string key;
    uuid id;
};

/// What a stream asks for. Of each hundred requests `replay_percent` repeat one of `replays`,
/// `sold_out_percent` ask for `sold_out`, and the rest for `products` in turn; users follow one
/// another.
struct stream_plan {
    std::span<const std::int64_t> users;
    std::vector<sold_product> products;
    std::string run;  ///< keys are named after it
    std::size_t requests_max = SIZE_MAX;
    std::size_t first_user = 0;
    sold_product sold_out{};
    unsigned sold_out_percent = 0;
    std::vector<placed_order> replays{};
    unsigned replay_percent = 0;
    /// False for a server whose answers mean nothing: whatever comes counts as refused.
    bool meaningful = true;
};

/// Orders without end, for measurements: lean, and every answer is still looked at.
class order_stream final : public traffic {
public:
    explicit order_stream(stream_plan plan);

    std::optional<std::size_t> next() override;
    void render(std::size_t number, std::string_view host, std::string& out) const override;
    void done(std::size_t number, const outcome& what) override;
    std::string progress() const override;

    struct tally {
        std::uint64_t accepted = 0;
        std::uint64_t refused = 0;
        std::uint64_t unknown = 0;
        std::uint64_t replayed = 0;      ///< of the accepted: replays, each with its first id
        std::uint64_t high_traffic = 0;  ///< of the refused: tries used up on conflicts
        std::uint64_t busy = 0;          ///< of the refused: 503
        histogram accepted_ns;
        histogram refused_ns;

        std::uint64_t done() const { return accepted + refused + unknown; }
    };
    const tally& totals() const { return tally_; }
    /// Counts from nothing again; what is known of the orders stays.
    tally restart() { return std::exchange(tally_, {}); }

    /// Replays that were not answered with the order they repeat: a fault of the server.
    const std::vector<std::string>& faults() const { return faults_; }
    /// What the clients know, for the sums; replays not repeated.
    sale known() const;
    std::vector<placed_order> placed(std::size_t most) const;
    std::uint64_t sent() const { return next_; }

private:
    struct shape {
        std::int64_t user;
        std::int64_t product;
        const placed_order* replay;
    };
    shape shape_of(std::size_t number) const;
    void append_key(std::size_t number, const shape& of, std::string& out) const;
    wanted_order wanted(std::size_t number) const;
    void accept(std::size_t number, const outcome& what);

    struct acceptance {
        std::size_t number;
        uuid id;
        bool echoed;
    };

    stream_plan plan_;
    std::size_t next_ = 0;
    tally tally_;
    std::vector<acceptance> accepted_;
    std::vector<std::size_t> unsure_;
    std::vector<std::string> faults_;
};

}  // namespace flashsale::bench
