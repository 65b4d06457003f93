// A shard's keys share their hash tag, and so a server: one SCAN sees them all. There is no index
// of the products, so that none has to be kept on the way of an order, or read from a gate of an
// earlier version.

#include "redis_listing.hpp"

#include <cstdlib>

#include "redis_scripts.hpp"

namespace flashsale::stock {

namespace {

constexpr std::string_view keys_per_page = "1000";

/// For MATCH: only the star that we put there is one.
std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (std::string_view("*?[]\\").find(c) != std::string_view::npos) out += '\\';
        out += c;
    }
    return out;
}

}  // namespace

void list_products_at(redis::client& server, const shard_keys& keys, std::uint64_t epoch,
                      const std::string& cursor,
                      callback<std::expected<gate::product_page, errc>> done) {
    const std::string prefix = keys.root + std::to_string(epoch) + ":p:";
    const std::string pattern = escaped(prefix) + "*";
    const std::string_view words[] = {"SCAN",  cursor.empty() ? std::string_view("0") : cursor,
                                      "MATCH", pattern,
                                      "COUNT", keys_per_page};
    server.command(words, [prefix, done = std::move(done)](redis::result reply) mutable {
        if (!reply) return done(std::unexpected(errc_of(reply.error())));
        if (reply->elements.size() != 2) return done(std::unexpected(errc::outcome_unknown));
        gate::product_page page;
        for (const redis::value& key : reply->elements[1].elements) {
            if (key.text.starts_with(prefix))
                page.ids.push_back(std::atoll(key.text.c_str() + prefix.size()));
        }
        if (reply->elements[0].text != "0") page.next_cursor = std::move(reply->elements[0].text);
        done(std::move(page));
    });
}

}  // namespace flashsale::stock
