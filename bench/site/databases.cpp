#include "site/databases.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace flashsale::bench {

namespace {

boost::json::object read_config(const std::filesystem::path& config) {
    if (config.empty()) return {};
    std::ifstream file{config};
    std::stringstream text;
    if (!(text << file.rdbuf())) throw std::runtime_error("cannot read " + config.string());
    boost::json::parse_options lenient;
    lenient.allow_comments = true;
    lenient.allow_trailing_commas = true;
    boost::system::error_code fault;
    auto parsed = boost::json::parse(text.str(), fault, {}, lenient);
    if (fault || !parsed.is_object())
        throw std::runtime_error(config.string() + " is no JSON object");
    return std::move(parsed.get_object());
}

class finder {
public:
    finder(const std::filesystem::path& config, const environment& from)
        : config_{read_config(config)}, from_{from} {}

    std::optional<std::string> look(const char* section, const char* key,
                                    const char* variable) const {
        if (auto value = from_(variable)) return value;
        const auto* found = config_.if_contains(section);
        const auto* text =
            found != nullptr && found->is_object() ? found->get_object().if_contains(key) : nullptr;
        if (text != nullptr && text->is_string()) return std::string{text->get_string()};
        return std::nullopt;
    }

    std::string find(const char* section, const char* key, const char* variable) const {
        if (auto value = look(section, key, variable)) return *value;
        throw std::runtime_error(std::string{"no server to use: set "} + variable +
                                 " (eval \"$(script/stack env)\"), or name a configuration with " +
                                 section + "." + key + " by --config");
    }

    std::string user() const {
        return find("postgres", "user_url", "FLASHSALE_POSTGRES__USER_URL");
    }
    std::string stock() const {
        return find("postgres", "stock_url", "FLASHSALE_POSTGRES__STOCK_URL");
    }
    std::string order() const {
        return find("postgres", "order_url", "FLASHSALE_POSTGRES__ORDER_URL");
    }

private:
    boost::json::object config_;
    const environment& from_;
};

/// Where the path of a `postgresql://host/path?parameters` begins and ends.
std::pair<std::size_t, std::size_t> path_of(const std::string& url) {
    const auto authority = url.find("://");
    if (authority == std::string::npos) {
        throw std::runtime_error("'" + url + "' is no postgresql:// URL");
    }
    const auto end = std::min(url.find('?', authority), url.size());
    const auto begin = std::min(url.find('/', authority + 3), end);
    return {begin, end};
}

}  // namespace

std::optional<std::string> process_environment(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
}

database_urls find_databases(const std::filesystem::path& config, const environment& from) {
    const finder all{config, from};
    return {all.stock(), all.order()};
}

std::string find_user_database(const std::filesystem::path& config, const environment& from) {
    return finder{config, from}.user();
}

std::optional<std::filesystem::path> find_data_folder(const std::filesystem::path& config,
                                                      const environment& from) {
    const finder all{config, from};
    if (all.look("stock", "gate", "FLASHSALE_STOCK__GATE") != "memory") return std::nullopt;
    return all.look("sqlite", "folder", "FLASHSALE_SQLITE__FOLDER").value_or("flashsale-data");
}

server_urls find_servers(const std::filesystem::path& config, const environment& from) {
    const finder all{config, from};
    return {all.find("redis", "url", "FLASHSALE_REDIS__URL"),
            all.find("amqp", "url", "FLASHSALE_AMQP__URL"), all.user(), all.stock(), all.order()};
}

std::string with_database(const std::string& url, const std::string& database) {
    const auto [begin, end] = path_of(url);
    return url.substr(0, begin) + "/" + database + url.substr(end);
}

std::string database_of(const std::string& url) {
    const auto [begin, end] = path_of(url);
    return begin == end ? std::string{} : url.substr(begin + 1, end - begin - 1);
}

}  // namespace flashsale::bench
