#include "compose.hpp"
#include "probe.hpp"
#include "sites.hpp"

namespace flashsale::app {

std::string stack_site::in_words() const {
    return "all defaults but what the environment says, stock.gate \"" + settings.stock.gate +
           "\" among it: on servers";
}

postgres::session stack_site::deployment() const {
    require_schemas(settings);
    const std::string& url = settings.postgres.stock_url;
    postgres::session out(postgres_options(settings, url));
    require_session(out, "stock", "postgres.stock_url", url);
    return out;
}

}  // namespace flashsale::app
