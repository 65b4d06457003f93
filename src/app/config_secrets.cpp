// What of a configuration may be seen by people that did not write it. Nothing is cut out
// of a text: what is shown is put together from what its parser understood, so that a form that
// is not known shows nothing.

#include <boost/json.hpp>

#include <algorithm>

#include <flashsale/amqp.hpp>
#include <flashsale/postgres.hpp>
#include <flashsale/redis.hpp>

#include "config.hpp"

namespace flashsale::app {

namespace {

std::string each_redis(std::string_view urls) {
    const auto comma = urls.find(',');
    const std::string first = redis::shown(urls.substr(0, comma));
    return comma == std::string_view::npos ? first
                                           : first + "," + each_redis(urls.substr(comma + 1));
}

}  // namespace

std::string without_password(std::string_view url) {
    if (url.starts_with("redis://") || url.starts_with("unix://")) return each_redis(url);
    if (url.starts_with("amqp://")) return amqp::shown(url);
    return postgres::shown(std::string(url));
}

std::string quoted_for_error(std::string_view found) {
    constexpr std::size_t bytes_max = 64;
    constexpr std::string_view not_shown = "a text that is not shown";
    std::string lower(found);
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) {
        return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    });
    for (const char* hint : {"://", "@", "pass", "pwd", "secret", "token"}) {
        if (lower.find(hint) != std::string::npos) return std::string(not_shown);
    }
    if (found.size() > bytes_max) return std::string(not_shown);
    return boost::json::serialize(boost::json::value(found));
}

}  // namespace flashsale::app
