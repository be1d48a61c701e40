module frontdesk.example/sdk

go 1.22

require github.com/gorilla/websocket v1.5.0
