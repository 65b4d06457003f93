#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "record/arithmetic.hpp"
#include "load/histogram.hpp"
#include "load/traffic.hpp"

namespace flashsale::bench {

/// Who asks for what, and in which order.
struct sale_plan {
    std::vector<std::int64_t> users;  ///< ids
    std::vector<sold_product> products;
    std::size_t requests = 0;  ///< spread evenly over the users
    std::uint64_t seed = 1;
    std::string run;  ///< keys are named after it

    /// Request `number` is the n-th try of its user; each try goes to the next product.
    std::size_t user_of(std::size_t number) const { return number % users.size(); }
    std::size_t product_of(std::size_t number) const {
        return (number % users.size() + number / users.size()) % products.size();
    }
    std::string key_of(std::size_t number) const;
    wanted_order wanted(std::size_t number) const;

    /// Units that these requests must sell, each asking for one: for every product its stock, or
    /// what the limit per user lets these users have, whichever is less.
    std::int64_t sellable() const;
};

/// The orders of a sale, shuffled; counts what became of them.
class order_traffic final : public traffic {
public:
    explicit order_traffic(sale_plan plan);

    std::optional<std::size_t> next() override;
    void render(std::size_t number, std::string_view host, std::string& out) const override;
    void done(std::size_t number, const outcome& what) override;
    std::string progress() const override;

    struct tally {
        std::uint64_t accepted = 0;
        std::uint64_t refused = 0;
        std::uint64_t unknown = 0;
        std::uint64_t retried = 0;   ///< requests that took more than one try
        std::uint64_t replayed = 0;  ///< accepted by an answer to an earlier try
        std::map<std::pair<unsigned, std::string>, std::uint64_t> refused_by_code;
        std::map<std::pair<unsigned, std::string>, std::uint64_t> unknown_by_code;
        histogram accepted_ns;
        histogram refused_ns;
        std::chrono::steady_clock::time_point last_accepted{};

        std::uint64_t done() const { return accepted + refused + unknown; }
    };

    const sale_plan& plan() const { return plan_; }
    const tally& totals() const { return tally_; }
    /// What the clients know, for the sums.
    sale known() const;

private:
    struct acceptance {
        std::size_t number;
        uuid id;
        bool echoed;
    };
    bool read_acceptance(std::size_t number, std::string_view body);

    sale_plan plan_;
    std::vector<std::uint32_t> sequence_;
    std::size_t next_ = 0;
    tally tally_;
    std::vector<acceptance> accepted_;
    std::vector<std::size_t> unsure_;
};

}  // namespace flashsale::bench
