#pragma once

#include <flashsale/redis.hpp>
#include <flashsale/stock/gate.hpp>

namespace flashsale::stock {

struct gate_scripts {
    redis::script reserve;
    redis::script give;
    redis::script open;
    redis::script inspect;
    redis::script load;
};

/// The scripts of lua/, embedded by the build.
const gate_scripts& scripts();

/// What a failed gate call means to a request for units.
errc errc_of(const redis::error& error);

}  // namespace flashsale::stock
