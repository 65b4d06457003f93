# The compiler, its flags and the sanitizers: one set for every target, because Asio and the
# precompiled header want the same definitions in each translation unit.

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    message(FATAL_ERROR
        "GCC ${CMAKE_CXX_COMPILER_VERSION} is refused: GCC 12 silently miscompiles ordinary co_await "
        "expressions (temporaries in a suspended full-expression are destroyed twice).\n"
        "Use Clang 19 (Debian 12: apt-get install clang-19, then CXX=clang++-19) or GCC 13 or newer; "
        "script/build does that by itself.")
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
    message(FATAL_ERROR
        "Clang ${CMAKE_CXX_COMPILER_VERSION} is refused: std::expected with the distribution's "
        "libstdc++ needs Clang 19 or newer (Debian 12: apt-get install clang-19).")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
# -fPIE for libraries and executables alike: they share one precompiled header.
set(CMAKE_POSITION_INDEPENDENT_CODE OFF)
add_compile_options(-fPIE)
add_link_options(-pie)

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
# Asserts stay on in release: they guard our own invariants, never outside data.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g -D_GLIBCXX_ASSERTIONS")

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor
    -Wold-style-cast -Woverloaded-virtual -Werror -fno-plt -fstack-protector-strong)
# The recycling allocator keeps two blocks per thread by default; a busy worker has more handlers.
add_compile_definitions(BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=16 BOOST_ASIO_NO_DEPRECATED)

find_program(FLASHSALE_LLD NAMES ld.lld-19 ld.lld)
if(FLASHSALE_LLD AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    add_link_options("-fuse-ld=${FLASHSALE_LLD}")
endif()

find_program(FLASHSALE_CCACHE ccache)
if(FLASHSALE_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER
        "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros "${FLASHSALE_CCACHE}")
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
        add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
    endif()
endif()

set(FLASHSALE_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them")
if(FLASHSALE_SANITIZE)
    add_compile_options("-fsanitize=${FLASHSALE_SANITIZE}" -fno-omit-frame-pointer
        -fno-sanitize-recover=all)
    add_link_options("-fsanitize=${FLASHSALE_SANITIZE}")
endif()
