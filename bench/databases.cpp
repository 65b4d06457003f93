#include "databases.hpp"

#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace flashsale::bench {

namespace {

boost::json::object read_section(const std::filesystem::path& config) {
    if (config.empty()) return {};
    std::ifstream file{config};
    std::stringstream text;
    if (!(text << file.rdbuf())) throw std::runtime_error("cannot read " + config.string());
    boost::json::parse_options lenient;
    lenient.allow_comments = true;
    lenient.allow_trailing_commas = true;
    boost::system::error_code fault;
    const auto parsed = boost::json::parse(text.str(), fault, {}, lenient);
    if (fault || !parsed.is_object())
        throw std::runtime_error(config.string() + " is no JSON object");
    const auto* section = parsed.get_object().if_contains("postgres");
    return section != nullptr && section->is_object() ? section->get_object()
                                                      : boost::json::object{};
}

}  // namespace

std::optional<std::string> process_environment(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
}

database_urls find_databases(const std::filesystem::path& config, const environment& from) {
    const auto section = read_section(config);
    const auto find = [&](const char* key, const char* variable) -> std::string {
        if (auto value = from(variable)) return *value;
        const auto* url = section.if_contains(key);
        if (url != nullptr && url->is_string()) return std::string{url->get_string()};
        throw std::runtime_error(std::string{"no database to check: set "} + variable +
                                 " (eval \"$(script/stack env)\"), or name a configuration with "
                                 "postgres." +
                                 key + " by --config");
    };
    return {find("stock_url", "FLASHSALE_POSTGRES__STOCK_URL"),
            find("order_url", "FLASHSALE_POSTGRES__ORDER_URL")};
}

}  // namespace flashsale::bench
