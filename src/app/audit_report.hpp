#pragma once

#include <string>

#include "audit.hpp"

namespace flashsale::app {

std::string audit_report_text(const audit_record& record, const audit_result& result);
std::string audit_report_json(const audit_record& record, const audit_result& result);

}  // namespace flashsale::app
