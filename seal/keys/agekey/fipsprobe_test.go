package agekey
import ("testing";"filippo.io/age";"bytes";"fmt")
func TestProbe(t *testing.T){
 for _,f:=range []func(){func(){id,err:=age.GenerateX25519Identity();fmt.Println("gen",err); var b bytes.Buffer; _,err=age.Encrypt(&b,id.Recipient());fmt.Println("enc",err)},
 func(){id,err:=age.GenerateHybridIdentity();fmt.Println("genpq",err); if err==nil{var b bytes.Buffer; _,err=age.Encrypt(&b,id.Recipient());fmt.Println("encpq",err)}}}{
  func(){defer func(){fmt.Println("recover",recover())}();f()}()
 }
}
