#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "load/closed_loop.hpp"

namespace flashsale::bench {

/// Twelve characters that no other run has: users, products and keys are named after them.
std::string make_run_name();

/// POST /v1/users, `count` times. Returns their ids, or a sentence.
std::expected<std::vector<std::int64_t>, std::string> create_users(
    const load_options& load, const std::string& run, std::size_t count, progress_line* progress,
    std::int64_t starting_balance = 0);

/// Of every product that is made here.
inline constexpr std::int64_t product_price = 100;

struct new_product {
    std::int64_t stock = 0;
    std::optional<std::int64_t> per_user_limit{};
    std::optional<std::int64_t> payment_window_s{};
};

/// POST /v1/products for each. Returns their ids in the same order, or a sentence.
std::expected<std::vector<std::int64_t>, std::string> create_products(
    const load_options& load, const std::string& run, const std::vector<new_product>& products,
    progress_line* progress);

}  // namespace flashsale::bench
