#include "allowed_methods.hpp"

namespace flashsale::http {

namespace {

std::string list_of(unsigned methods) {
    std::string out;
    for (const auto verb : {method::get, method::post, method::patch, method::erase}) {
        if ((methods & bit_of(verb)) == 0) continue;
        out.append(name_of(verb)).append(verb == method::get ? ", HEAD, " : ", ");
    }
    return out + "OPTIONS";
}

}  // namespace

std::string_view name_of(method verb) {
    switch (verb) {
        case method::get:
            return "GET";
        case method::post:
            return "POST";
        case method::patch:
            return "PATCH";
        case method::erase:
            return "DELETE";
        case method::options:
            return "OPTIONS";
        case method::other:
            break;
    }
    return "";
}

std::string_view allowed_methods(unsigned methods) {
    static const auto all = [] {
        std::array<std::string, method_sets> made;
        for (unsigned set = 0; set < method_sets; ++set)
            made[set] = list_of(set);
        return made;
    }();
    return all[methods];
}

}  // namespace flashsale::http
