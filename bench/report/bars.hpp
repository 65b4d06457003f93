#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "site/cpu.hpp"

namespace flashsale::bench {

double median(std::vector<double> values);  ///< of none: 0

/// One promise of speed: what we measured, against a limit measured in the same run.
struct bar {
    enum class rule { at_least, at_most };

    std::string name;        ///< one word, for machines
    std::string what;        ///< for people
    std::string unit;        ///< of measured and limit
    std::string limit_name;  ///< what the limit is
    rule must_be = rule::at_least;
    double threshold = 0;            ///< of the ratio
    bool of_measured = false;        ///< the threshold is of what was measured instead
    std::vector<double> measured{};  ///< one for each round
    std::vector<double> limit{};
    std::vector<std::string> refusals{};  ///< why a round gave no figure: then nothing holds

    struct cost {
        std::string process;
        double us_per_order = 0;
    };
    std::vector<std::vector<cost>> costs{};  ///< one for each round, or none

    const std::vector<cost>* median_costs() const;  ///< of the round that is the median
    double ratio() const;                           ///< of the medians; 0 where there is none
    bool holds() const;
};

/// CPU microseconds of each process, for each of so many orders.
std::vector<bar::cost> costs_of(const std::vector<cpu_share>& cpu, std::uint64_t orders);

bool all_hold(const std::vector<bar>& bars);
std::string bars_table(const std::vector<bar>& bars);
std::string costs_table(const std::vector<bar>& bars);
boost::json::array bars_json(const std::vector<bar>& bars);

}  // namespace flashsale::bench
