#pragma once

#include <string>

#include <flashsale/audit/sums.hpp>

namespace flashsale::audit {

std::string audit_report_text(const audit_record& record, const audit_result& result);
std::string audit_report_json(const audit_record& record, const audit_result& result);

}  // namespace flashsale::audit
