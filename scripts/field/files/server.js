require('http').createServer((request, response) => response.end('ok\n')).listen(@PORT@)
