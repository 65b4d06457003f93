#include "parking.hpp"

#include <spdlog/spdlog.h>

#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid.hpp>

#include "metrics.hpp"

namespace flashsale::order {

parking parking_of(const events::poison& what) {
    const boost::uuids::name_generator_sha1 generate(boost::uuids::ns::oid());
    const boost::uuids::uuid made = generate(what.text);
    uuid id;
    std::copy(made.begin(), made.end(), id.bytes.begin());
    return {id, what.text, what.reason};
}

parking parking_of(const events::event& what, std::string reason) {
    return {events::base_of(what).id, events::text_of(what), std::move(reason)};
}

void report_parked(std::span<const parking> all) {
    metrics::parked.add(std::ssize(all));
    for (const parking& one : all) {
        spdlog::error("event {} is parked: {}", one.id.to_string(), one.reason);
    }
}

}  // namespace flashsale::order
