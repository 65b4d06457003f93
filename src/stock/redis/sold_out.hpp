#pragma once

// What had nothing left a moment ago; no I/O.
//
// A hint, never a decision: it chooses in which form the gate is asked. A reservation of a product
// believed sold out travels in short form, without ids, which makes refusing it cheap; the
// gate decides it all the same, repeats included, and says so if it would have been granted. So a
// wrong hint costs one more round trip and nothing else.

#include <cstddef>
#include <cstdint>
#include <unordered_map>

namespace flashsale::stock {

class sold_out_hints {
public:
    /// So many units could not be had.
    void refused(std::int64_t product, std::int64_t quantity) {
        if (refused_.size() >= products_max) refused_.clear();
        const auto [found, is_new] = refused_.try_emplace(product, quantity);
        if (!is_new && quantity < found->second) found->second = quantity;
    }
    /// Units could be had.
    void in_stock(std::int64_t product) { refused_.erase(product); }

    bool is_likely(std::int64_t product, std::int64_t quantity) const {
        const auto found = refused_.find(product);
        return found != refused_.end() && quantity >= found->second;
    }

    static constexpr std::size_t products_max = 65'536;

private:
    std::unordered_map<std::int64_t, std::int64_t> refused_;  // product, least quantity refused
};

}  // namespace flashsale::stock
