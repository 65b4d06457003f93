#include "site.hpp"

#include "sites.hpp"

namespace flashsale::app {

std::unique_ptr<site> make_site(const config& from) {
    if (capabilities_of(from).embedded) return std::make_unique<embedded_site>(from);
    return std::make_unique<stack_site>(from);
}

}  // namespace flashsale::app
