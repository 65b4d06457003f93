# Everything comes from the distribution; script/bootstrap installs it.

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(PostgreSQL REQUIRED)
find_package(ICU 66 REQUIRED COMPONENTS uc)
find_package(PkgConfig REQUIRED)
pkg_check_modules(hiredis REQUIRED IMPORTED_TARGET hiredis)
pkg_check_modules(sqlite3 REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(rabbitmq REQUIRED IMPORTED_TARGET librabbitmq)
find_package(mimalloc 2.0 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(spdlog REQUIRED)

add_library(flashsale_boost INTERFACE)
target_link_libraries(flashsale_boost INTERFACE Boost::boost Boost::json Threads::Threads)
