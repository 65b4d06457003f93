#include <flashsale/redis.hpp>

#include <boost/uuid/detail/sha1.hpp>

namespace flashsale::redis {

script::script(std::string_view source) : source_(source) {
    boost::uuids::detail::sha1 hash;
    hash.process_bytes(source.data(), source.size());
    unsigned int words[5];
    hash.get_digest(words);
    constexpr std::string_view digits = "0123456789abcdef";
    for (const unsigned int word : words) {
        for (int shift = 28; shift >= 0; shift -= 4)
            sha1_ += digits[word >> shift & 0xfu];
    }
}

}  // namespace flashsale::redis
