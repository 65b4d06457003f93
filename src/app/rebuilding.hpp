#pragma once

// What a rebuild by hand uses: a log that runs, and ports that connect, until it is destroyed.

#include <flashsale/recovery/ports.hpp>

namespace flashsale::app {

class rebuilding {
public:
    virtual ~rebuilding() = default;
    virtual recovery::ports ports() = 0;
};

}  // namespace flashsale::app
