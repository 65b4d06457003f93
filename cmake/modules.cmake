# A module is two targets: flashsale_<name>_api, its include root include/<name>, and
# flashsale_<name>, its implementation in src/<name>. A third one, flashsale_<name>_composition, is
# the api and the include root include/<name>_composition, where there is one: what the module is
# put together from, and the ports to its databases. A module sees another only if its call says
# so (an undeclared #include does not compile) and the allow-list in src/CMakeLists.txt permits it
# (a forbidden edge stops the configure step).
#
#   flashsale_module(NAME
#       SOURCES file...      implementation files, relative to src/<name>
#       API_SOURCES file...  the little code behind the public headers' values (a name, a codec),
#                            for those who see the api and not the implementation
#       USES module...       implementations, <module>_api's or <module>_composition's that this one
#                            may include and link
#       LINKS target...      C libraries, PRIVATE: no public header shows theirs
#   )

function(flashsale_check_edge from to)
    if(to STREQUAL "base" OR to STREQUAL "base_api")
        return()
    endif()
    get_property(allowed GLOBAL PROPERTY "FLASHSALE_MAY_USE_${from}")
    if("all" IN_LIST allowed OR "${to}" IN_LIST allowed)
        return()
    endif()
    # To see a module's implementation, or what it is composed from, is to see its api; not the other
    # way round.
    if(to MATCHES "_api$")
        string(REGEX REPLACE "_api$" "" implementation "${to}")
        if("${implementation}" IN_LIST allowed OR "${implementation}_composition" IN_LIST allowed)
            return()
        endif()
    endif()
    message(FATAL_ERROR
        "module '${from}' may not use '${to}': its line in the allow-list of src/CMakeLists.txt "
        "permits '${allowed}'")
endfunction()

function(flashsale_allow from)
    set_property(GLOBAL PROPERTY "FLASHSALE_MAY_USE_${from}" "${ARGN}")
endfunction()

function(flashsale_module name)
    cmake_parse_arguments(PARSE_ARGV 1 module "" "" "SOURCES;API_SOURCES;USES;LINKS")

    set(api "flashsale_${name}_api")
    add_library(${api} INTERFACE)
    target_include_directories(${api} INTERFACE "${PROJECT_SOURCE_DIR}/include/${name}")
    target_link_libraries(${api} INTERFACE flashsale_boost)
    if(NOT name STREQUAL "base")
        target_link_libraries(${api} INTERFACE flashsale_base_api)
    endif()

    if(module_API_SOURCES)
        add_library(flashsale_${name}_values STATIC ${module_API_SOURCES})
        target_include_directories(flashsale_${name}_values
            PUBLIC "${PROJECT_SOURCE_DIR}/include/${name}")
        target_link_libraries(flashsale_${name}_values PUBLIC flashsale_boost flashsale_base)
        flashsale_precompile(flashsale_${name}_values)
        target_link_libraries(${api} INTERFACE flashsale_${name}_values)
    endif()

    set(target "flashsale_${name}")
    add_library(${target} STATIC ${module_SOURCES})
    target_link_libraries(${target} PUBLIC ${api} PRIVATE ${module_LINKS})
    if(NOT name STREQUAL "base")
        target_link_libraries(${target} PUBLIC flashsale_base)
    endif()
    if(IS_DIRECTORY "${PROJECT_SOURCE_DIR}/include/${name}_composition")
        add_library(${target}_composition INTERFACE)
        target_include_directories(${target}_composition
            INTERFACE "${PROJECT_SOURCE_DIR}/include/${name}_composition")
        target_link_libraries(${target}_composition INTERFACE ${api})
        target_link_libraries(${target} PRIVATE ${target}_composition)
    endif()
    foreach(used IN LISTS module_USES)
        flashsale_check_edge(${name} ${used})
        target_link_libraries(${target} PRIVATE "flashsale_${used}")
    endforeach()
    flashsale_precompile(${target})
endfunction()

# The standard library, Asio and Boost.JSON, once for everybody. No header of a module or of a C
# library belongs here: it would be visible to all, and the boundary would be gone.
function(flashsale_precompile target)
    if(NOT TARGET flashsale_pch)
        if(NOT EXISTS "${PROJECT_BINARY_DIR}/pch.cpp")
            file(WRITE "${PROJECT_BINARY_DIR}/pch.cpp" "")
        endif()
        add_library(flashsale_pch OBJECT "${PROJECT_BINARY_DIR}/pch.cpp")
        target_link_libraries(flashsale_pch PRIVATE flashsale_boost spdlog::spdlog)
        target_precompile_headers(flashsale_pch PRIVATE "${PROJECT_SOURCE_DIR}/src/pch.hpp")
    endif()
    target_link_libraries(${target} PRIVATE spdlog::spdlog)
    target_precompile_headers(${target} REUSE_FROM flashsale_pch)
endfunction()
