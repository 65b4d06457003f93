#pragma once

// Where the audit reads in either configuration.

#include <flashsale/audit/record_view.hpp>

#include <memory>

#include "config.hpp"

namespace flashsale::app {

/// Throws unavailable_error if a database cannot be read or is not of this version.
std::unique_ptr<audit::record_view> make_stack_record_view(const config& settings);
/// With a process that has the folder open, its gate; without one, the gate that the next start
/// will load, and the folder is locked meanwhile.
std::unique_ptr<audit::record_view> make_embedded_record_view(const config& settings);

}  // namespace flashsale::app
