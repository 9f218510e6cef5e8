# cmake -DOUT=file.cc -DFILES="a.yaml|b.yaml" -P embed_profiles.cmake: the files' texts as one C++ source.
string(REPLACE "|" ";" files "${FILES}")
set(body "")
foreach(file ${files})
  file(READ "${file}" text)
  get_filename_component(name "${file}" NAME)
  string(APPEND body "      {\"profiles/${name}\", R\"yaml(${text})yaml\"},\n")
endforeach()
file(WRITE "${OUT}.new" "// Generated from profiles/*.yaml.
#include \"checks/media/profile_data.h\"

namespace puckdrop::media::internal {

std::vector<ProfileFile> BuiltInProfileFiles() {
  return {
${body}  };
}

}  // namespace puckdrop::media::internal
")
execute_process(COMMAND "${CMAKE_COMMAND}" -E copy_if_different "${OUT}.new" "${OUT}")
file(REMOVE "${OUT}.new")
