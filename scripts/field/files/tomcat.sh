mkdir -p @FOLDER@/conf @FOLDER@/webapps/ROOT @FOLDER@/logs @FOLDER@/temp @FOLDER@/work
cp @FOLDER@/server.xml @FOLDER@/conf/server.xml
home=$(dirname "$(dirname @PROGRAM@)")
export CATALINA_HOME="$home" CATALINA_BASE=@FOLDER@
exec "$home/bin/catalina.sh" run
